"""The few identity documents that clients ask for without Keystone."""
