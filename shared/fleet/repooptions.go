package fleet

import (
	"slices"
	"strconv"
	"strings"
)

// RepositoryOption is one of restic's -o options that a repository may have.
type RepositoryOption struct {
	Name  string // as restic calls it; what stands before the dot is the scheme it belongs to
	Help  string // what to give
	valid func(string) bool
}

// RepositoryOptions is every option that may be set. restic has more, and among them are some that name programs to run
// (sftp.command, sftp.args, rclone.program, rclone.args): those are never to be added. restic splits options at commas, so no
// validator may let a comma or a quote through.
var RepositoryOptions = [...]RepositoryOption{
	{"local.connections", "a number from 1 to 64", isConnections},
	{"rclone.connections", "a number from 1 to 64", isConnections},
	{"rest.connections", "a number from 1 to 64", isConnections},
	{"s3.bucket-lookup", "auto, dns or path", oneOf("auto", "dns", "path")},
	{"s3.connections", "a number from 1 to 64", isConnections},
	{"s3.list-objects-v1", "true or false", oneOf("true", "false")},
	{"s3.region", "a region's name, such as eu-central-1", isRegion},
	{"s3.storage-class", "a storage class that can be read at once, such as STANDARD_IA",
		oneOf("STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "REDUCED_REDUNDANCY", "GLACIER_IR")},
	{"sftp.connections", "a number from 1 to 64", isConnections},
}

func validOption(scheme RepositoryScheme, name, value string) error {
	i := slices.IndexFunc(RepositoryOptions[:], func(o RepositoryOption) bool { return o.Name == name })
	if i < 0 {
		var known []string
		for _, o := range RepositoryOptions {
			if strings.HasPrefix(o.Name, string(scheme)+".") {
				known = append(known, o.Name)
			}
		}
		return invalid("The option %q is not allowed. For this repository there are: %s.", printable(name), strings.Join(known, ", "))
	}
	o := RepositoryOptions[i]
	if before, _, _ := strings.Cut(name, "."); before != string(scheme) {
		return invalid("The option %s does not belong to a repository of the kind %s. Leave it out.", name, scheme)
	}
	if !o.valid(value) {
		return invalid("%q is no value for the option %s. Give %s.", printable(value), name, o.Help)
	}
	return nil
}

func isConnections(s string) bool {
	n, err := strconv.ParseUint(s, 10, 8)
	return err == nil && n >= 1 && n <= 64 && s == strconv.FormatUint(n, 10)
}

func isRegion(s string) bool {
	return s != "" && len(s) <= 64 && isAlnum(s[0]) && only(s, "-")
}

func oneOf(values ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(values, s) }
}
