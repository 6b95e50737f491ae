"""A model file of the user's own, with no pipeline behind it: converted, or made as fast as it gets.

    admission      what is looked at before anything else reads an ONNX file
    conversion     the file in another format: `edgeloop convert`
    optimization   the fastest correct file for given targets: `edgeloop optimize`

The file is a stranger's, so that it is read in a confined process (`edgeloop.confinement`).
"""
