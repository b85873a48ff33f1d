"""The main job, done on simulated hosts with the clients that operators use."""
