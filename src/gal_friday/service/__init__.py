"""When accounts are reconciled, by whom, and what is seen to around it: never what reconciling means."""
