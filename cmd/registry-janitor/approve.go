package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/admission"
	"github.com/registry-janitor/registry-janitor/internal/approvals"
	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/files"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

func (a *app) approveCommand() *cobra.Command {
	var file, key string
	cmd := &cobra.Command{
		Use:   "approve -c FILE RUN|PLAN.json",
		Short: "Sign a plan, so that it may be applied",
		Long: `Sign the plan of a run in the ledger, or the saved plan in PLAN.json, with a key of your
SSH agent that approvals.allowed_signers has, or with the private key in --key FILE. A
public key there chooses one of the agent. Read the plan first: history show RUN.

The signature of a run goes into the ledger, that of a file into PLAN.json.NAME.sig
beside it, and into the ledger too if that has the plan. It is that of
ssh-keygen -Y sign -n registry-janitor -f KEY PLAN.json.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.approve(cmd.Context(), file, args[0], key)
		},
	}
	inputs.ConfigFlag(cmd, &file)
	cmd.Flags().StringVar(&key, "key", "", "the `FILE` of the key to sign with; by default one of the SSH agent")
	return cmd
}

func (a *app) approve(ctx context.Context, file, named, keyFile string) error {
	c, err := a.LoadConfig(ctx, "-c", file, "policies", "policy", "protect")
	if err != nil {
		return err
	}
	signers, err := c.Signers()
	if err != nil {
		return err
	}
	if signers == nil {
		return errors.New("the configuration needs no approvals: add approvals: {allowed_signers: FILE, required: 1}")
	}
	key, err := a.approvingKey(ctx, signers, keyFile)
	if err != nil {
		return err
	}
	var l *ledger.Ledger
	if dsn := c.LedgerDSN(); dsn != "" {
		if l, err = ledger.Open(ctx, dsn, ledger.Options{Who: a.who, Program: "registry-janitor " + a.Version, Now: a.Now}); err != nil {
			return err
		}
		defer l.Close()
	}
	plan, beside, err := a.planToApprove(ctx, l, named)
	if err != nil {
		return err
	}
	message, err := admission.SignedBytes(plan)
	if err != nil {
		return err
	}
	armored, err := key.Sign(message)
	if err != nil {
		return err
	}
	by, err := signers.Verify(message, armored, a.Now())
	if err != nil {
		return err
	}
	return a.keepSignature(ctx, c, l, plan, beside, by, armored)
}

// keepSignature records a signature in the ledger, and beside the file of the plan.
func (a *app) keepSignature(ctx context.Context, c *config.Config, l *ledger.Ledger, plan *actions.Plan, beside string, by runs.Approval, armored []byte) error {
	if l != nil {
		_, err := admission.Sign(ctx, c, l, plan, armored, a.Now())
		if err != nil && (beside == "" || !errors.Is(err, ledger.ErrUnknownPlan)) {
			return err
		}
	}
	if terminal.IsStream(beside) {
		_, err := a.Stdout.Write(armored)
		return err
	}
	if beside != "" {
		path := inputs.SignatureFile(beside, by.Principal)
		if err := a.WriteFile(ctx, path, func(w io.Writer) error { _, err := w.Write(armored); return err }); err != nil {
			return err
		}
		fmt.Fprintf(a.Stderr, "The signature is in %s.\n", path)
	}
	all, err := a.SignaturesBeside(ctx, beside)
	if err != nil {
		return err
	}
	state, err := admission.Approvals(ctx, c, l, plan, all, a.Now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Stdout, "%s: %s\n", plan.ID, state.Words())
	return err
}

// approvingKey is the key in a file, or one of the SSH agent.
func (a *app) approvingKey(ctx context.Context, signers *approvals.Signers, file string) (approvals.Key, error) {
	var public []byte
	if file != "" {
		data, err := files.Read(file, maxKeyFile)
		if err != nil {
			return approvals.Key{}, fmt.Errorf("reading the key: %w", err)
		}
		key, err := approvals.ParseKey(data)
		if !errors.Is(err, approvals.ErrPublic) {
			if err != nil {
				err = fmt.Errorf("%s: %w", file, err)
			}
			return key, err
		}
		public = data
	}
	agent, err := approvals.OpenAgent(ctx, os.Getenv("SSH_AUTH_SOCK"))
	if err != nil {
		return approvals.Key{}, err
	}
	context.AfterFunc(ctx, func() { _ = agent.Close() }) // the key signs over the connection
	return agent.Key(signers, public, a.Now())
}

// maxKeyFile bounds the file of a key, in bytes.
const maxKeyFile = files.MiB

// planToApprove is the plan of a run, or of a file, whose name it returns too.
func (a *app) planToApprove(ctx context.Context, l *ledger.Ledger, named string) (plan *actions.Plan, file string, err error) {
	id, err := strconv.ParseInt(named, 10, 64)
	if _, missing := os.Stat(named); err != nil || missing == nil {
		plan, err := a.ReadSigned(ctx, named)
		return plan, named, err
	}
	if l == nil {
		return nil, "", fmt.Errorf("run %d: the configuration has no ledger: name the file of the plan", id)
	}
	run, err := l.Run(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if run.PlanID == "" {
		return nil, "", fmt.Errorf("run %d has no plan", id)
	}
	plan, err = l.Plan(ctx, run.PlanID)
	return plan, "", err
}

// signaturesOf are the signatures that come with a plan that is applied.
func (a *app) signaturesOf(ctx context.Context, f *applyFlags) ([]approvals.Signature, error) {
	beside, err := a.SignaturesBeside(ctx, f.plan)
	if err != nil {
		return nil, err
	}
	named, err := a.ReadSignatures(ctx, f.signatures)
	return slices.Concat(named, beside), err
}
