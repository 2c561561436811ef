//go:build tools

// Package engine pins the Pulumi CLI, so that it can be built where the vendor's download site cannot be reached.
package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
