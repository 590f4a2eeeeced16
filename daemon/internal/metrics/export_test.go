package metrics

// KnownJobs is how many jobs are remembered.
func KnownJobs(m *Metrics) int {
	m.jobs.mu.Lock()
	defer m.jobs.mu.Unlock()
	return len(m.jobs.known)
}
