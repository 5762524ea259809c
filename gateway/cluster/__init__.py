"""Everything over Redis or Valkey: the event log and its readers, ownership, mailboxes, state and later work."""
