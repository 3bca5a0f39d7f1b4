"""The probe in software: captures in, items, headers, the executable specification of the flow table, verdicts out."""
