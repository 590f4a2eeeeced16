// Package config is the agent's own configuration: agent.toml in its data folder, written at enrolment, and the places of
// everything else in that folder. Environment variables BACKSTAY_AGENT_* replace settings, never the host's identity or its
// secret store, which only enrolment and a migration change.
//
// It has no state and starts no goroutine. A file is written whole or not at all, and one that holds an unknown or impossible
// setting is refused with its name, because an agent that guesses backs up the wrong thing.
package config
