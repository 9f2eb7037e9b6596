"""One recogniser per file: does this cause explain this lead?

A recogniser looks at one lead and at the whole case, and answers with a sentence for people, or not at all. It
never computes an amount: the effect of a lead is fixed before anybody asks why.
"""
