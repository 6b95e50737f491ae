"""register: the bundle, its lineage, and its place in the model registry."""

from pydantic import Field, field_validator

from edgeloop.contract import Contract


class RegisterParams(Contract):
    """Section `register`."""

    registry: str = Field(default="mlflow", description="plug-in of edgeloop.registries")
    model_name: str = Field(default="digits", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
    alias: str = Field(default="champion", pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,63}$")

    @field_validator("alias")
    @classmethod
    def _not_reserved(cls, alias: str) -> str:
        """MLflow keeps `latest` and `v1`, `v2`, … for itself."""
        if alias == "latest" or (alias.startswith("v") and alias[1:].isdigit()):
            raise ValueError("is reserved by MLflow")
        return alias
