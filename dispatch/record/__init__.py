"""What a run or a city leaves behind: journal, catalogue, run folder, KPIs, stories."""
