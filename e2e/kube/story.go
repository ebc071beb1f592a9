package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// story is the steps of the check, and their expected results.
type story struct {
	*setting
	cluster *cluster
	address string // of the emulator
}

const rules = `retention: [{name: old, match: {tags: ["old-*"]}, delete: {older_than: 14d}}]
limits: {max_deletion_percent: 100}
protect: {kubernetes: [{%s}]}
`

func (s *story) tell(ctx context.Context) error {
	stop, err := s.startEmulator(ctx)
	if err != nil {
		return err
	}
	defer stop()
	for _, chapter := range []struct {
		title string
		run   func(context.Context) error
	}{
		{"an account without rights: everything is held", s.withoutRights},
		{"with the rights of examples/kubernetes/rbac/cluster.yaml: what runs is kept", s.withRights},
		{"a use that is new since the plan: its image is kept", s.laterUse},
		{"some namespaces, with the rights of examples/kubernetes/rbac/namespace.yaml", s.someNamespaces},
		{"a namespace that does not exist", s.noNamespace},
		{"a deleted account: its token is refused", s.goneAccount},
		{"the same, not required: a warning", s.notRequired},
	} {
		fmt.Println("\n#", chapter.title)
		if err := chapter.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", chapter.title, err)
		}
	}
	return nil
}

// startEmulator starts the registry.
func (s *story) startEmulator(ctx context.Context) (stop func(), err error) {
	file, err := s.file("world.yaml", world)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	cmd := exec.CommandContext(ctx, s.program, "emulator", "--listen", "127.0.0.1:0", "--world", file)
	says, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, err
	}
	stop = func() { cancel(); _ = cmd.Wait() }
	for lines := bufio.NewScanner(says); lines.Scan(); {
		if at := strings.Index(lines.Text(), "http://"); at >= 0 {
			s.address = strings.Fields(lines.Text()[at:])[0]
			go func() { _, _ = bufio.NewReader(says).WriteTo(os.Stderr) }()
			return stop, nil
		}
	}
	stop()
	return nil, errors.New("the emulator does not print its address")
}

// janitor runs the program, shows its output, and checks its exit code.
func (s *story) janitor(ctx context.Context, exit int, args ...string) error {
	fmt.Println("$ registry-janitor", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, s.program, args...)
	cmd.Dir = s.work
	cmd.Env = append(os.Environ(), "SCW_API_URL="+s.address, "SCW_ACCESS_KEY=SCWXXXXXXXXXXXXXXXXX", "SCW_SECRET_KEY=11111111-1111-1111-1111-111111111111")
	out, err := cmd.CombinedOutput()
	fmt.Print(strings.ReplaceAll(string(out), s.work, "."))
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return err
	}
	if got := cmd.ProcessState.ExitCode(); got != exit {
		return fmt.Errorf("exit code %d, want %d", got, exit)
	}
	if bytes.Contains(out, []byte("eyJ")) {
		return errors.New("the output holds a token")
	}
	fmt.Printf("(exit code %d)\n", exit)
	return nil
}

// planned runs plan with a cluster, and checks the steps and what is held.
func (s *story) planned(ctx context.Context, cluster string, exit int, steps, held []string) error {
	if _, err := s.file("janitor.yaml", fmt.Sprintf(rules, cluster)); err != nil {
		return err
	}
	if err := s.janitor(ctx, exit, "plan", "-o", "plan.json"); err != nil {
		return err
	}
	var plan struct {
		Steps []struct{ Ref string }
		Held  []struct{ Ref, Guard, Detail string }
	}
	if err := s.read("plan.json", &plan); err != nil {
		return err
	}
	var gotSteps, gotHeld []string
	for _, p := range plan.Steps {
		gotSteps = append(gotSteps, strings.TrimPrefix(p.Ref, registry))
	}
	for _, h := range plan.Held {
		gotHeld = append(gotHeld, strings.TrimPrefix(h.Ref, registry)+": "+h.Guard+": "+h.Detail)
	}
	if !slices.Equal(gotSteps, steps) {
		return fmt.Errorf("steps %q, want %q", gotSteps, steps)
	}
	if len(gotHeld) != len(held) {
		return fmt.Errorf("%d are held, want %d: %q", len(gotHeld), len(held), gotHeld)
	}
	for i := range held {
		if !strings.HasPrefix(gotHeld[i], held[i]) {
			return fmt.Errorf("held: %q, want %q", gotHeld[i], held[i])
		}
	}
	return nil
}

func (s *story) read(name string, into any) error {
	text, err := os.ReadFile(filepath.Join(s.work, name))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// old are the marked tags, sorted.
var old = []string{
	"api:old-agent", "api:old-cron", "api:old-db", "api:old-db-before", "api:old-digest", "api:old-history", "api:old-idle", "api:old-init", "api:old-job",
	"api:old-last", "api:old-rc", "api:old-tag", "api:old-twin", "api:old-volume", "job:old-idle", "web:old-idle", "web:old-later",
}

// users are the tags in use, with their users.
func users() []string {
	const by = "in_use: used by kubernetes prod-eu: "
	return []string{
		"api:old-agent: " + by + "DaemonSet ops/agent", "api:old-cron: " + by + "CronJob ops/nightly", "api:old-db: " + by + "StatefulSet shop/db",
		"api:old-db-before: " + by + "StatefulSet shop/db", "api:old-digest: " + by + "Deployment shop/api", "api:old-history: " + by + "Deployment shop/api (rollback)",
		"api:old-init: " + by + "Deployment shop/api", "api:old-job: " + by + "Job ops/once", "api:old-last: " + by + "Pod shop/zz-last",
		"api:old-rc: " + by + "ReplicationController ops/rc", "api:old-tag: " + by + "Deployment shop/api", "api:old-twin: " + by + "Deployment shop/api",
		"api:old-volume: " + by + "Deployment shop/api",
	}
}

// allHeld are all marked tags, held by a gap.
func allHeld(detail string) []string {
	var held []string
	for _, tag := range old {
		held = append(held, tag+": gap: what could not be read might prevent it: kubernetes prod-eu: "+detail)
	}
	return held
}

const account = "kubeconfig: account.kubeconfig"

func (s *story) withoutRights(ctx context.Context) error {
	return s.planned(ctx, account, 1, nil, allHeld("listing controllerrevisions.apps, cronjobs.batch, daemonsets.apps, deployments.apps, jobs.batch, pods, replicasets.apps, replicationcontrollers, statefulsets.apps: the cluster answers 403"))
}

func (s *story) withRights(ctx context.Context) error {
	if err := s.cluster.grant(ctx, s.setting, "cluster.yaml", "clusterroles", "clusterrolebindings"); err != nil {
		return err
	}
	if err := s.planned(ctx, account, 0, []string{"api:old-idle", "job:old-idle", "web:old-idle", "web:old-later"}, users()); err != nil {
		return err
	}
	return s.janitor(ctx, 0, "explain", registry+"api:old-digest")
}

// laterUse deploys what the plan deletes, and applies the plan.
func (s *story) laterUse(ctx context.Context) error {
	d := &deployment{cluster: s.cluster, ctx: ctx}
	d.create("/apis/apps/v1/namespaces/shop/deployments", workload("late", "", "", "late", "web:old-later"))
	if d.err != nil {
		return d.err
	}
	if err := s.janitor(ctx, 0, "apply", "--yes", "plan.json"); err != nil {
		return err
	}
	if err := s.janitor(ctx, 0, "plan", "-o", "after.json"); err != nil {
		return err
	}
	var after struct {
		Steps, Held []struct{ Ref, Detail string }
	}
	if err := s.read("after.json", &after); err != nil {
		return err
	}
	if len(after.Steps) != 0 || len(after.Held) != len(users())+1 {
		return fmt.Errorf("afterwards the plan has the steps %+v and holds %d", after.Steps, len(after.Held))
	}
	return nil
}

// deleted reports whether laterUse has deleted a tag, which may be the one of a held
// entry: each tag without a use, beside the one that has a use since the plan.
func deleted(tag string) bool { return strings.Contains(tag, ":old-idle") }

// someNamespaces removes the rights on the whole cluster.
func (s *story) someNamespaces(ctx context.Context) error {
	d := &deployment{cluster: s.cluster, ctx: ctx}
	d.send("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/registry-janitor-uses", "", "")
	if d.err != nil {
		return d.err
	}
	err := s.cluster.grant(ctx, s.setting, "namespace.yaml", "namespaces/shop/roles", "namespaces/shop/rolebindings")
	if err != nil {
		return err
	}
	inShop := slices.DeleteFunc(append(users(), "web:old-later: in_use: used by kubernetes prod-eu: Deployment shop/late"), func(u string) bool { return strings.Contains(u, " ops/") })
	gone := []string{"api:old-agent", "api:old-cron", "api:old-job", "api:old-rc"}
	if err := s.planned(ctx, account+", namespaces: [shop]", 0, gone, inShop); err != nil {
		return err
	}
	held := slices.DeleteFunc(allHeld("listing controllerrevisions.apps"), deleted)
	return s.planned(ctx, account+", namespaces: [shop, ops]", 1, nil, held)
}

func (s *story) noNamespace(ctx context.Context) error {
	held := slices.DeleteFunc(allHeld("the cluster has no namespace shpo"), deleted)
	if err := s.planned(ctx, "kubeconfig: admin.kubeconfig, namespaces: [shpo]", 1, nil, held); err != nil {
		return err
	}
	return s.janitor(ctx, 0, "config", "check")
}

func (s *story) goneAccount(ctx context.Context) error {
	d := &deployment{cluster: s.cluster, ctx: ctx}
	d.send("DELETE", "/api/v1/namespaces/registry-janitor/serviceaccounts/registry-janitor", "", "")
	if d.err != nil {
		return d.err
	}
	held := slices.DeleteFunc(allHeld("listing "), deleted)
	// The API server caches an accepted token for some seconds.
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Second) {
		if _, err := s.file("janitor.yaml", fmt.Sprintf(rules, account+", namespaces: [shop]")); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, s.program, "plan")
		cmd.Dir, cmd.Env = s.work, append(os.Environ(), "SCW_API_URL="+s.address, "SCW_ACCESS_KEY=SCWXXXXXXXXXXXXXXXXX", "SCW_SECRET_KEY=11111111-1111-1111-1111-111111111111")
		if cmd.Run() != nil {
			break
		}
	}
	return s.planned(ctx, account+", namespaces: [shop]", 1, nil, held)
}

func (s *story) notRequired(ctx context.Context) error {
	var steps []string
	for _, tag := range old {
		if !deleted(tag) {
			steps = append(steps, tag)
		}
	}
	return s.planned(ctx, account+", namespaces: [shop], required: false", 0, steps, nil)
}
