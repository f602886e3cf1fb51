"""What each reader gets, put together from the lake and the registers: one module for what the pages of one reader are made of.

    desk        all that pages are made from, and the one way in which a page is issued
    technical   nightly breach report, change log, breach log: no names
    checking    checks of the filter, for technical services and the DSL: no names
    looking     who looked at whom, by month, for the Assistant Principal and the DPO: logins of those who looked
    named       DSL list and week, Principal's page, digests of Heads of Year and House: with names, each a logged reveal
    figures     the counts of leaders' and governors' pages, by term; nobody can be told from them
    leadership  termly summary
    governors   annual report
    inspection  the evidence of a period for an inspector, as files; no names (holdings: its tables)
    due         which of them a night owes, and any of them by its name and period

Every page is written whole or not at all, with a CSV beside each of its tables, after the register of pages has it.
"""

from pipeline.publishing.desk import Desk, who_is
from pipeline.publishing.due import REPORTS, daily, periodic, report
from pipeline.publishing.inspection import inspection
from pipeline.publishing.named import told
from pipeline.publishing.technical import failed_page, indexes

__all__ = ["REPORTS", "Desk", "daily", "failed_page", "indexes", "inspection", "periodic", "report", "told", "who_is"]
