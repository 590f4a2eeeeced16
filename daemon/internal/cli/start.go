package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

// startRequest is a job to start, and whether to stay with it.
type startRequest struct {
	host   string
	job    api.JobRequest
	follow followFlags
}

// start queues a job and follows it when asked to.
func (c *cli) start(ctx context.Context, client *apiclient.Client, r startRequest) error {
	job, err := client.StartJob(ctx, r.host, r.job, "")
	if err != nil {
		return err
	}
	if r.follow.follow {
		return c.follow(ctx, client, job, r.follow)
	}
	if c.json {
		return c.writeJSON(job)
	}
	return c.say("The %s is queued on %s as job %s.\nFollow it: backstay jobs follow %s", show(job.Kind), show(r.host), show(job.ID), show(job.ID))
}

// starter makes a command that starts a job on a host.
func (c *cli) starter(use, short string, args cobra.PositionalArgs, f *followFlags, request func(args []string) (api.JobRequest, error)) *cobra.Command {
	cmd := c.leaf(use, short, args, func(ctx context.Context, args []string) error {
		job, err := request(args[1:])
		if err != nil {
			return err
		}
		return c.with(ctx, func(client *apiclient.Client) error {
			return c.start(ctx, client, startRequest{host: args[0], job: job, follow: *f})
		})
	})
	cmd.ValidArgsFunction = c.completeFirst(hostNames)
	f.add(cmd)
	return cmd
}

func (c *cli) backup() *cobra.Command {
	var f backupFlags
	var follow followFlags
	var plan, repository string
	cmd := c.starter("backup HOST (--plan PLAN | --repo REPO PATH…) [flags]", "back a host up", cobra.MinimumNArgs(1), &follow, func(paths []string) (api.JobRequest, error) {
		spec := f.spec(paths)
		r := api.JobRequest{Kind: fleet.KindBackup, Plan: plan, Repository: repository, Paths: spec.Paths, Excludes: spec.Excludes, Tags: spec.Tags,
			ExcludeCaches: spec.ExcludeCaches, OneFileSystem: spec.OneFileSystem, Verbose: spec.Verbose}
		switch {
		case (plan == "") == (repository == ""):
			return r, usage("Give either --plan, or --repo and paths.")
		case repository != "" && len(spec.Paths) == 0:
			return r, usage("What shall be saved? Give at least one path, or a --plan.")
		case plan != "" && len(spec.Paths) > 0:
			return r, usage("The plan says which paths are saved. Leave the paths out, or give --repo instead of --plan.")
		}
		return r, nil
	})
	cmd.Flags().StringVar(&plan, "plan", "", "the `plan` to run")
	cmd.Flags().StringVar(&repository, "repo", "", "the `repository`, for a backup without a plan")
	f.add(cmd)
	c.flagNames(cmd, map[string]func(context.Context, *apiclient.Client) ([]string, error){"plan": planNames, "repo": repositoryNames})
	return cmd
}

func (c *cli) restore() *cobra.Command {
	var follow followFlags
	var snapshot, repository, folder string
	var includes []string
	cmd := c.starter("restore HOST --snapshot ID --include PATH… [flags]", "write files of a snapshot into a fresh folder", cobra.ExactArgs(1), &follow, func([]string) (api.JobRequest, error) {
		if len(includes) == 0 {
			return api.JobRequest{}, usage("What shall be restored? Give --include PATH, or --include / for all of the snapshot.")
		}
		r := api.JobRequest{Kind: fleet.KindRestore, Repository: repository, Snapshot: snapshot, Folder: folder, Includes: includes}
		if len(includes) == 1 && includes[0] == "/" {
			r.Includes = nil
		}
		return r, nil
	})
	cmd.Long = "Write files of a snapshot into a fresh folder below the host's restore root. Nothing is ever overwritten."
	cmd.Flags().StringVar(&snapshot, "snapshot", "", "the snapshot's `id`, or at least 8 digits of it")
	cmd.Flags().StringArrayVar(&includes, "include", nil, "a `path` inside the snapshot (may be repeated); / for all")
	cmd.Flags().StringVar(&folder, "folder", "", "`name` of the fresh folder (the job's id when not given)")
	cmd.Flags().StringVar(&repository, "repo", "", "the `repository`, when the daemon has not listed the snapshot yet")
	required(cmd, "snapshot")
	c.flagNames(cmd, map[string]func(context.Context, *apiclient.Client) ([]string, error){"repo": repositoryNames})
	return cmd
}

// onRepository makes a command that starts a job without further words on a repository.
func (c *cli) onRepository(kind fleet.JobKind, use, short string) *cobra.Command {
	var follow followFlags
	var repository string
	cmd := c.starter(use, short, cobra.ExactArgs(1), &follow, func([]string) (api.JobRequest, error) {
		return api.JobRequest{Kind: kind, Repository: repository}, nil
	})
	cmd.Flags().StringVar(&repository, "repo", "", "the `repository`")
	required(cmd, "repo")
	c.flagNames(cmd, map[string]func(context.Context, *apiclient.Client) ([]string, error){"repo": repositoryNames})
	return cmd
}

func (c *cli) unlock() *cobra.Command {
	return c.onRepository(fleet.KindUnlock, "unlock HOST --repo REPO", "remove stale locks from a repository, never those in use")
}

func (c *cli) init() *cobra.Command {
	return c.onRepository(fleet.KindInit, "init HOST --repo REPO", "create a repository")
}

func (c *cli) check() *cobra.Command {
	var follow followFlags
	var repository, readData string
	cmd := c.starter("check HOST --repo REPO [flags]", "check a repository", cobra.ExactArgs(1), &follow, func([]string) (api.JobRequest, error) {
		return api.JobRequest{Kind: fleet.KindCheck, Repository: repository, ReadData: readData}, nil
	})
	cmd.Flags().StringVar(&repository, "repo", "", "the `repository`")
	cmd.Flags().StringVar(&readData, "read-data", "", "read the data as well: all, a `part` such as 1/10, or 5%")
	required(cmd, "repo")
	c.flagNames(cmd, map[string]func(context.Context, *apiclient.Client) ([]string, error){"repo": repositoryNames})
	return cmd
}
