"""What MLflow, stores and disks say when they fail, each as a plain sentence with a remedy."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from faultxfer.errors import FaultxferError, RegistryError, UnreadableError

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
Asker = TypeVar("Asker")

SERVER, DATABASE, ARTIFACTS = "MLflow server", "registry", "artifact store"
_CLOUDS = ("botocore", "boto3", "s3transfer", "google", "azure")
_NOT_IMPLEMENTED = 501  # what a web server without any program behind it says to a POST
NAMES_NOTHING = "the tracking store"
_LONGEST = 300
_HTTP = re.compile(
    r"failed with error code (\d{3})|too many (\d{3}) error responses|\b([45]\d\d) "
    r"(?:Client|Server) Error"
    r"|status[ _]?code[ =:]+(\d{3})"
)
# What SQLAlchemy adds to every error of a database.
_SEE_ALSO = re.compile(r" \(Background on this error at: [^)]*\)")
# Whose errors are a store's or the network's; MLflow lets some of them through as they are.
_OUTSIDE = {
    "mlflow",
    "sqlalchemy",
    "sqlite3",
    "requests",
    "urllib3",
    "botocore",
    "boto3",
    "s3transfer",
    "google",
    "azure",
}


@dataclass(frozen=True)
class Failure:
    """One way to fail.

    Attributes:
        sentence: what is wrong; ``{store}`` stands for who said so, ``{status}`` for the HTTP
            status.
        remedy: what to do about it.
        signs: a regular expression over the error's text, any case; None where the status alone
            decides.
        statuses: HTTP statuses that mean this.
        numbers: of an ``OSError``, those that mean this.
        unreadable: whether it means that something could not be read, so that nothing is known of
            it.
    """

    sentence: str
    remedy: str
    signs: str | None = None
    statuses: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()
    unreadable: bool = True

    def fits(self, text: str, status: int | None, number: int | None) -> bool:
        """Whether an error with this text, HTTP status and system's number is of this kind."""
        if status is not None and status in self.statuses:
            return True
        if number is not None and number in self.numbers:
            return True
        return self.signs is not None and bool(re.search(self.signs, text, flags=re.IGNORECASE))


# The first that fits counts, so what says most stands first.
_FAILURES = (
    Failure(
        "The disk is full",
        "Make free space there, then run again; what was registered before is as it was",
        signs=r"No space left|disk is full|quota exceeded|No usable temporary|errno (28|122)\b",
        statuses=(507,),
        numbers=(errno.ENOSPC, errno.EDQUOT),
        unreadable=False,
    ),
    Failure(
        "The registry's database is locked by another process",
        "Wait until that process is done, or end it if it hangs, then run again",
        signs=r"database (table )?is locked|deadlock|could not serialize",
    ),
    Failure(
        "The registry can only be read here",
        "Run this as a user who may write the registry's folder; reading and scoring go on",
        signs=r"readonly database|read-only file system|read-only transaction",
        numbers=(errno.EROFS,),
        unreadable=False,
    ),
    Failure(
        "The registry's database is damaged",
        "Put back a copy made by `faultxfer registry backup`, then run `faultxfer registry verify`",
        signs=r"database disk image is malformed",
    ),
    Failure(
        "The file at this address is not an MLflow database",
        "Correct or unset MLFLOW_TRACKING_URI",
        signs=r"file is not a database|file is encrypted",
    ),
    Failure(
        "The registry's database is not of the release of MLflow that is used here",
        "Take the MLflow that wrote it, or copy the database and run `mlflow db upgrade`",
        signs=r"out-of-date database schema|can't locate revision"
        r"|(no such |undefined)(table|column)",
    ),
    Failure(
        "The experiment of faultxfer is deleted",
        "With MLFLOW_TRACKING_URI set to this registry, run `mlflow experiments restore "
        "--experiment-id N`; "
        "`mlflow experiments search --view deleted_only` shows the number",
        signs=r"must be in the 'active' state|experiment .{0,80}\b(is|in) .{0,10}deleted",
        unreadable=False,
    ),
    Failure(
        "The registry's database does not accept this user and password",
        "Correct them in MLFLOW_TRACKING_URI, or in the variables that the database reads: "
        "PGUSER and PGPASSWORD for PostgreSQL",
        signs=r"password authentication failed|no password supplied|access denied for user",
    ),
    Failure(
        "The server has no database of this name",
        "Correct the name at the end of MLFLOW_TRACKING_URI, or ask who looks after the server to "
        "make the database",
        signs=r"database \"[^\"]+\" does not exist|unknown database",
    ),
    Failure(
        "The {store} does not accept this user and password",
        "Correct MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
        signs=r"\bUNAUTHENTICATED\b|not authenticated|CUSTOMER_UNAUTHORIZED"
        r"|NoCredentials|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken",
        statuses=(401, 407),
    ),
    Failure(
        "The {store} does not allow this user to do this",
        "Ask who looks after the server to give this user READ on the experiment `faultxfer` and "
        "the registered models "
        "for scoring and looking, EDIT for everything else; or name another user in "
        "MLFLOW_TRACKING_USERNAME",
        signs=r"\bPERMISSION_DENIED\b|AccessDenied|insufficient privilege"
        r"|permission denied for (table|schema|sequence)",
        statuses=(403,),
    ),
    Failure(
        "The certificate of the {store} cannot be checked",
        "Name the certificate in MLFLOW_TRACKING_SERVER_CERT_PATH, or correct MLFLOW_TRACKING_URI",
        signs=r"SSLError|certificate verify failed|wrong version number",
    ),
    Failure(
        "The {store} has too much to do",
        "Run again in a few minutes",
        signs=r"REQUEST_LIMIT_EXCEEDED|SlowDown",
        statuses=(429,),
    ),
    Failure(
        "The {store} answers {status}",
        "Look into its log: it answers so when its disk is full, its database is down or a mount "
        "is missing. "
        "No model is to blame for that; run again when it answers",
        statuses=tuple(range(500, 507)) + tuple(range(508, 600)),
    ),
    Failure(
        "The {store} did not answer in time",
        "Run again when it is less busy; MLFLOW_HTTP_REQUEST_TIMEOUT says how many seconds to wait",
        signs=r"timed? ?out",
        statuses=(408,),
        numbers=(errno.ETIMEDOUT,),
    ),
    Failure(
        "Nothing answers at the address of the {store}",
        "Start the server, or correct or unset MLFLOW_TRACKING_URI",
        signs=r"max retries exceeded|connection (refused|reset|aborted)|establish a new connection"
        r"|name or service not known|name resolution|could not (connect|translate)|can't "
        r"connect|no route to host"
        r"|remote end closed|network is unreachable|EndpointConnectionError|server closed the "
        r"connection",
        numbers=(
            errno.ECONNREFUSED,
            errno.ECONNRESET,
            errno.EHOSTUNREACH,
            errno.ENETUNREACH,
            errno.EPIPE,
        ),
    ),
    Failure(
        "This user may not read or write there",
        "Run this as a user who may use the registry's folder and its `artifacts`, or let their "
        "owner correct the rights",
        signs=r"permission denied|operation not permitted|unable to open database file",
        numbers=(errno.EACCES, errno.EPERM),
    ),
    Failure(
        "There are no files at the place where they were registered",
        "Mount the folder if it is not, or run `faultxfer registry relocate` if it was moved",
        signs=r"no such (file|artifact)|RESOURCE_DOES_NOT_EXIST.*artifact",
        numbers=(errno.ENOENT, errno.ENOTDIR),
        unreadable=False,
    ),
    Failure(
        "The disk or the mount does not answer as it should",
        "Look at the mount and at the system's log, then run again; no model is to blame for that",
        signs=r"input/output error|stale file handle|transport endpoint|disk i/o error",
        numbers=(
            errno.EIO,
            errno.ESTALE,
            errno.ENOTCONN,
            errno.EHOSTDOWN,
            errno.ENXIO,
            errno.ENODEV,
            errno.EMFILE,
        ),
    ),
)
_NO_API = Failure(
    "There is no MLflow server at this address",
    "Correct MLFLOW_TRACKING_URI: it is the address at which MLflow's pages are seen",
)
_NO_LIBRARY = Failure(
    "A library that this kind of address needs is not installed",
    "Install it beside faultxfer (for PostgreSQL: `pip install 'faultxfer[postgresql]'`), or "
    "correct MLFLOW_TRACKING_URI",
)
_OTHER = Failure(
    "The {store} did not answer as expected",
    "Check MLFLOW_TRACKING_URI and the server's log, then run again",
    unreadable=False,
)


@contextmanager
def reported(what: str) -> Iterator[None]:
    """Turn MLflow's, the network's and the system's errors into one sentence.

    Args:
        what: what is asked for, such as ``the files of models:/pumps/1``.

    Raises:
        UnreadableError: the store or its artifacts could not be read.
        RegistryError: anything else that went wrong there.
    """
    try:
        yield
    except FaultxferError:
        raise
    except Exception as error:
        if not _is_outside(error):
            raise
        raise explained(error, what) from error


def _is_outside(error: Exception) -> bool:
    return isinstance(error, (OSError, ImportError)) or library_of(error) in _OUTSIDE


def asks_the_store(
    function: Callable[Concatenate[Asker, Given], Answer],
) -> Callable[Concatenate[Asker, Given], Answer]:
    """A function or method that says in one sentence when the store does not answer."""

    @wraps(function)
    def asking(asker: Asker, /, *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        with reported("the tracking store"):
            return function(asker, *args, **kwargs)

    return asking


def explained(error: BaseException, what: str) -> RegistryError:
    """The failure in one sentence, with what to do.

    Args:
        error: of MLflow, a database, the network or the system.
        what: what was asked for.

    Returns:
        An :class:`~faultxfer.errors.UnreadableError` where something could not be read.
    """
    text = " ".join(f"{getattr(error, 'error_code', '')} {error}".split())
    failure = _failure(error, text, http_status(error))
    status = http_status(error)
    sentence = failure.sentence.format(store=_store(error, text, what), status=status)
    kind = UnreadableError if failure.unreadable else RegistryError
    return kind(
        sentence,
        received={"problem": _problem(error, status)},
        where=None if what == NAMES_NOTHING else what,
        remedy=failure.remedy,
    )


def http_status(error: BaseException) -> int | None:
    """The HTTP status that an error tells of; None where there was no answer, or no HTTP."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if isinstance(status, int):
        return status
    found = _HTTP.search(str(error))
    if found:
        return int(next(group for group in found.groups() if group))
    # MLflow's own errors over HTTP have their status in their code; those of databases have none.
    if type(error).__name__ == "RestException":
        return int(error.get_http_status_code())  # type: ignore[attr-defined]
    return None


def _failure(error: BaseException, text: str, status: int | None) -> Failure:
    if isinstance(error, ImportError):
        return _NO_LIBRARY
    if _is_no_api(error, text, status):
        return _NO_API
    number = error.errno if isinstance(error, OSError) else None
    return next((failure for failure in _FAILURES if failure.fits(text, status, number)), _OTHER)


def _is_no_api(error: BaseException, text: str, status: int | None) -> bool:
    """Whether something answers there that does not know MLflow's calls."""
    if "not in a valid JSON format" in text:
        return True
    statuses = (301, 302, 400, 404, 405, _NOT_IMPLEMENTED)
    foreign = status in statuses and type(error).__name__ != "RestException"
    return foreign and library_of(error) == "mlflow" and "mlflow-artifacts" not in text


def library_of(error: BaseException) -> str:
    """The package whose error it is, such as ``mlflow``."""
    return type(error).__module__.partition(".")[0]


def _store(error: BaseException, text: str, what: str) -> str:
    """Who failed: artifacts may lie on another machine than the server."""
    of_artifacts = "mlflow-artifacts" in text or what.startswith("the files")
    if of_artifacts or library_of(error) in _CLOUDS:
        return ARTIFACTS
    by_network = http_status(error) is not None or "API request" in text
    by_network = by_network or library_of(error) == "requests"
    return SERVER if by_network else DATABASE


def _problem(error: BaseException, status: int | None) -> str:
    """What happened, in one line.

    Of a server's failure MLflow keeps the number alone, at the end of a long address.
    """
    text = _SEE_ALSO.sub("", " ".join(str(error).split()))
    if re.search(r"too many 5\d\d error responses", text):
        tried = f"the server failed at each try (HTTP {status})"
        return f"{tried}, as it does when its disk is full or its database down"
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.strerror}: {os.fsdecode(error.filename)}"[:_LONGEST]
    return text[:_LONGEST]
