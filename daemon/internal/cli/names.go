package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

// names turns ids into the names that people gave. What has no name any more shows its id.
type names struct {
	hosts        map[fleet.HostID]string
	repositories map[fleet.RepositoryID]string
	plans        map[fleet.PlanID]string
}

func (c *cli) loadNames(ctx context.Context, client *apiclient.Client) (names, error) {
	n := names{hosts: map[fleet.HostID]string{}, repositories: map[fleet.RepositoryID]string{}, plans: map[fleet.PlanID]string{}}
	hosts, err := client.Hosts(ctx)
	if err != nil {
		return n, err
	}
	for _, h := range hosts {
		n.hosts[h.ID] = h.Name
	}
	repositories, err := client.Repositories(ctx)
	if err != nil {
		return n, err
	}
	for _, r := range repositories {
		n.repositories[r.ID] = r.Name
	}
	plans, err := client.Plans(ctx)
	if err != nil {
		return n, err
	}
	for _, p := range plans {
		n.plans[p.ID] = p.Name
	}
	return n, nil
}

func (n names) host(id fleet.HostID) string { return nameOf(n.hosts, id) }

func (n names) repository(id fleet.RepositoryID) string { return nameOf(n.repositories, id) }

// plan tells a deleted plan by those words: its id says nothing to anybody.
func (n names) plan(id fleet.PlanID) string {
	if name, ok := n.plans[id]; ok {
		return name
	}
	return "deleted plan"
}

// repositoryOf is where a job's data are, when the repository has no name any more.
func (n names) repositoryOf(j fleet.Job) string {
	if _, ok := n.repositories[j.RepositoryID]; !ok && j.Spec.Repository.URL != "" {
		return j.Spec.Repository.URL
	}
	return n.repository(j.RepositoryID)
}

// nameOf is not escaped yet.
func nameOf[K ~string](m map[K]string, id K) string {
	if name, ok := m[id]; ok {
		return name
	}
	return string(id)
}

// leafArgs describe a command about one named thing.
type leafArgs struct {
	use, short string
	complete   func(ctx context.Context, client *apiclient.Client) ([]string, error)
}

// named makes a command with one argument, and a client.
func (c *cli) named(a leafArgs, run func(ctx context.Context, client *apiclient.Client, name string) error) *cobra.Command {
	cmd := c.leaf(a.use, a.short, cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		return c.with(ctx, func(client *apiclient.Client) error { return run(ctx, client, args[0]) })
	})
	cmd.ValidArgsFunction = c.completeFirst(a.complete)
	return cmd
}

// completeFirst completes the first argument for the shell.
func (c *cli) completeFirst(list func(context.Context, *apiclient.Client) ([]string, error)) cobra.CompletionFunc {
	all := c.completion(list)
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return all(cmd, args, toComplete)
	}
}

// completion asks the daemon for names, quickly or not at all.
func (c *cli) completion(list func(context.Context, *apiclient.Client) ([]string, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		if list == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), 3*time.Second)
		defer cancel()
		var all []string
		err := c.with(ctx, func(client *apiclient.Client) (err error) {
			all, err = list(ctx, client)
			return err
		})
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp // a shell has no place for an error
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

func hostNames(ctx context.Context, client *apiclient.Client) ([]string, error) {
	return namesOf(client.Hosts, func(h fleet.Host) string { return h.Name })(ctx)
}

func repositoryNames(ctx context.Context, client *apiclient.Client) ([]string, error) {
	return namesOf(client.Repositories, func(r fleet.Repository) string { return r.Name })(ctx)
}

func planNames(ctx context.Context, client *apiclient.Client) ([]string, error) {
	return namesOf(client.Plans, func(p fleet.Plan) string { return p.Name })(ctx)
}

func jobNames(ctx context.Context, client *apiclient.Client) ([]string, error) {
	page, err := client.Jobs(ctx, apiclient.JobFilter{Limit: 20})
	var all []string
	for _, j := range page.Items {
		all = append(all, show(j.ID))
	}
	return all, err
}

func namesOf[T any](list func(context.Context) ([]T, error), name func(T) string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		items, err := list(ctx)
		var all []string
		for _, v := range items {
			all = append(all, show(name(v)))
		}
		return all, err
	}
}

// flagNames completes the values of flags.
func (c *cli) flagNames(cmd *cobra.Command, flags map[string]func(context.Context, *apiclient.Client) ([]string, error)) {
	for flag, list := range flags {
		if err := cmd.RegisterFlagCompletionFunc(flag, c.completion(list)); err != nil {
			panic(err) // no such flag: a mistake in this package
		}
	}
}
