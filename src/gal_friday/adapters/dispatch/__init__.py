"""Who carries out runs that are due: tasks of this process."""

from gal_friday.adapters.dispatch.tasks import TaskDispatcher

__all__ = ["TaskDispatcher"]
