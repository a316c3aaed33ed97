"""What a study with several labels and texts must say. Standard library only."""

from foldwise.errors import FoldwiseError


def check_heads(settings: dict, heads_needed: bool, where: str) -> None:
    """Labels and texts of a kind with heads; a text encoder, which has no default."""
    data, heads = settings["data"], settings["data"]["heads"]
    if not heads_needed:
        for key, there in (("heads", heads), ("columns.texts", data["columns"]["texts"])):
            if there:
                raise FoldwiseError(
                    f"{where}: data.{key}: {settings['kind']} studies read none. Take it out."
                )
        return
    if not heads:
        raise FoldwiseError(
            f"{where}: data.heads: no label named. Write `{{modality: {{order: [CT, MR]}}}}`."
        )
    _check_columns(heads, where)
    for head, scheme in heads.items():
        if len(scheme["order"]) < 2:
            raise FoldwiseError(
                f"{where}: data.heads.{head}.order: {len(scheme['order'])} classes; at least two, "
                "or there is nothing to learn."
            )
    if not data["columns"]["texts"]:
        raise FoldwiseError(
            f"{where}: data.columns.texts: no column named. Name those that are inputs, for "
            "example `[caption]`."
        )
    columns = data["columns"]["heads"]
    if columns and set(columns) != set(heads):
        raise FoldwiseError(
            f"{where}: data.columns.heads names {', '.join(columns)}; data.heads names "
            f"{', '.join(heads)}. Name the same labels in both."
        )
    if not settings["model"]["text"]["name"]:
        raise FoldwiseError(
            f"{where}: model.text.name: no text encoder. Give a folder with model and tokenizer "
            "(what save_pretrained writes), or a name of the Hugging Face hub."
        )


def _check_columns(heads: dict, where: str) -> None:
    """Tables of predictions have a column p_<label>_<class>: each may be of one label alone."""
    for head, scheme in heads.items():
        longer = [other for other in heads if other.startswith(f"{head}_")]
        for name in scheme["order"]:
            torn = [other for other in longer if f"{head}_{name}".startswith(f"{other}_")]
            if torn:
                raise FoldwiseError(
                    f"{where}: data.heads: class '{name}' of {head} and the label {torn[0]} would "
                    f"share columns p_{torn[0]}_... of the predictions. Rename one of the labels."
                )
