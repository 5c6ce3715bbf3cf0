"""What all sections of an experiment file have in common: kinds of values, and how strict they are."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

#: Whole numbers beyond these fit into no file of ours.
LARGEST_NUMBER = 2**63 - 1


def _whole(number: Any) -> Any:
    """Take 1.0 for 1, as JSON schema does."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


_OrWhole = BeforeValidator(_whole)
Integer = Annotated[int, _OrWhole]
Count = Annotated[int, Field(ge=1, le=LARGEST_NUMBER), _OrWhole]
Whole = Annotated[int, Field(ge=0, le=LARGEST_NUMBER), _OrWhole]
#: Images per label of which at least one is in each of five folds.
Folded = Annotated[int, Field(ge=5, le=LARGEST_NUMBER), _OrWhole]
Seed = Annotated[int, Field(ge=0, lt=2**31), _OrWhole]
Positive = Annotated[float, Field(gt=0)]
Amount = Annotated[float, Field(ge=0)]
Probability = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]

_END = r"(?!\n)$"
_LINE = rf"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*{_END}"
_PLACE = _LINE.replace("^", r"^(?=[/~]|(?!(.*/)?\.\.(/|$)))", 1)
_SLUG = rf"^[A-Za-z0-9][A-Za-z0-9_.-]*{_END}"
_STEM = _SLUG.replace("_.-", "_-")
ARCHITECTURE = rf"^(cct_[0-9]{{1,3}}_[0-9]{{1,2}}x[0-9]{{1,2}}|(vgg|resnet)_[0-9]{{1,4}}){_END}"

#: What a text must be that does not fit a pattern.
PATTERNS = {
    _LINE: "it must be one line of printable text",
    _PLACE: "it must not lead out of the working folder; give an absolute path",
    _SLUG: "a name consists of letters, digits, `_`, `.` and `-` and begins with a letter or digit",
    _STEM: "a name consists of letters, digits, `_` and `-` and begins with a letter or digit",
    ARCHITECTURE: "an architecture is called as cct_7_3x1, vgg_16 or resnet_20 are",
}

Line = Annotated[str, StringConstraints(pattern=_LINE)]

#: A path that is absolute, or does not lead out of the working folder.
Place = Annotated[str, StringConstraints(pattern=_PLACE)]

#: Name that may be part of the name of a file.
Slug = Annotated[str, StringConstraints(pattern=_SLUG, max_length=64)]

#: The same without a point, for what is named in the middle of other names.
Stem = Annotated[str, StringConstraints(pattern=_STEM, max_length=32)]

Item = TypeVar("Item")


def _nothing_twice(values: list[Item]) -> list[Item]:
    if len(set(values)) != len(values):
        raise ValueError("an entry is named twice; name each once")
    return values


#: List whose entries differ.
Distinct = Annotated[
    list[Item], AfterValidator(_nothing_twice), Field(json_schema_extra={"uniqueItems": True})
]


class Section(BaseModel):
    """Common behaviour of all sections: unknown keys are refused, no value is read as one of another kind."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, regex_engine="python-re"
    )
