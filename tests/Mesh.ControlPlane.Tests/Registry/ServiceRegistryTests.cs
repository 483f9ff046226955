using Mesh.ControlPlane.Registry;
using Mesh.TestNet;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.ControlPlane.Tests.Registry;

public sealed class ServiceRegistryTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _time = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("mesh-registry-").FullName;
    private readonly List<string> _changes = [];
    private readonly ServiceRegistry _registry;

    public ServiceRegistryTests() => _registry = Create();

    public void Dispose()
    {
        _registry.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string RegistrationsPath => Path.Combine(_folder, "registrations.json");

    private ServiceRegistry Create(bool remote = false, List<string>? changes = null)
    {
        var registry = new ServiceRegistry(
            new ServiceRegistryOptions(10 * Second, 30 * Second, remote),
            new RegistrationsFile(RegistrationsPath, _time, NullLogger<RegistrationsFile>.Instance),
            _time,
            NullLogger<ServiceRegistry>.Instance);
        registry.Changed += (id, workload) => (changes ?? _changes).Add(workload is null ? $"-{id}" : $"+{id}");
        return registry;
    }

    private static WorkloadSession? Connect(ServiceRegistry registry, Envoy.Config.Core.V3.Node node, string remote = "127.0.0.1:5000")
        => registry.Connect(TestNodes.Connection(remote), node, new NodeMetadata(node));

    private WorkloadSession Connect(string id, string address = "127.0.0.1:8080", string more = "")
        => Connect(_registry, TestNodes.Workload(id, "a", address, more)).ShouldNotBeNull();

    [Fact]
    public void A_workload_can_be_called_as_soon_as_it_connects()
    {
        Connect("one");

        _changes.ShouldBe(["+one"]);
        var workload = _registry.Current["one"];
        workload.Namespace.ShouldBe("default");
        workload.Labels["app"].ShouldBe("a");
        workload.Addresses["http"].ToString().ShouldBe("127.0.0.1:8080");
    }

    [Fact]
    public void A_node_without_addresses_is_only_a_client()
    {
        Connect(_registry, TestNodes.Of("client")).ShouldBeNull();

        _changes.ShouldBeEmpty();
    }

    [Fact]
    public void A_workload_that_is_not_ready_at_first_is_called_when_it_says_so()
    {
        var session = Connect("one", more: ",\"MESH_READY\":\"false\"");
        _changes.ShouldBeEmpty();

        session.ReportReady(true).ShouldBeTrue();

        _changes.ShouldBe(["+one"]);
    }

    [Fact]
    public void A_graceful_stop_removes_at_once()
    {
        var session = Connect("one");

        session.ReportReady(false).ShouldBeTrue();
        session.ReportReady(false).ShouldBeFalse();
        session.Dispose();

        _changes.ShouldBe(["+one", "-one"]);
        _time.Advance(60 * Second);
        _changes.ShouldBe(["+one", "-one"]);
    }

    [Fact]
    public void A_reconnect_while_it_drains_does_not_bring_a_workload_back()
    {
        var session = Connect("one");
        session.ReportReady(false);
        session.Dispose();

        var again = Connect("one");
        _changes.ShouldBe(["+one", "-one"]);

        again.ReportReady(true).ShouldBeTrue();
        _changes.ShouldBe(["+one", "-one", "+one"]);
    }

    [Fact]
    public void A_torn_stream_keeps_the_workload_for_the_grace_period()
    {
        var session = Connect("one");

        session.Dispose();
        _time.Advance(9 * Second);
        _changes.ShouldBe(["+one"]);

        _time.Advance(Second);
        _changes.ShouldBe(["+one", "-one"]);
    }

    [Fact]
    public void A_reconnect_within_the_grace_period_changes_nothing()
    {
        Connect("one").Dispose();
        var before = _registry.Current["one"];
        _time.Advance(9 * Second);

        Connect("one");
        _time.Advance(60 * Second);

        _changes.ShouldBe(["+one"]);
        _registry.Current["one"].ShouldBeSameAs(before);
    }

    [Fact]
    public void Each_tear_starts_the_grace_period_anew()
    {
        Connect("one").Dispose();
        _time.Advance(9 * Second);
        Connect("one").Dispose();
        _time.Advance(9 * Second);
        _changes.ShouldBe(["+one"]);

        _time.Advance(Second);
        _changes.ShouldBe(["+one", "-one"]);
    }

    [Fact]
    public void A_reconnect_with_another_address_moves_the_workload()
    {
        Connect("one").Dispose();

        Connect("one", "127.0.0.1:9090");

        _changes.ShouldBe(["+one", "+one"]);
        _registry.Current["one"].Addresses["http"].Port.ShouldBe(9090u);
    }

    [Fact]
    public void The_newest_of_two_streams_speaks_and_the_end_of_the_older_one_changes_nothing()
    {
        var older = Connect("one");
        var newer = Connect("one");

        older.ReportReady(false).ShouldBeFalse();
        older.Dispose();
        _time.Advance(60 * Second);
        _changes.ShouldBe(["+one"]);

        newer.ReportReady(false).ShouldBeTrue();
        _changes.ShouldBe(["+one", "-one"]);
    }

    [Fact]
    public void A_restarted_process_with_a_new_id_takes_its_old_address_over()
    {
        Connect("one").Dispose();

        Connect("two");

        _changes.ShouldBe(["+one", "-one", "+two"]);
    }

    [Fact]
    public void A_workload_on_another_machine_is_refused_unless_the_operator_admits_it()
    {
        Connect(_registry, TestNodes.Workload("far", "a", "10.0.0.1:80"), "10.0.0.1:5000").ShouldBeNull();
        _changes.ShouldBeEmpty();

        var changes = new List<string>();
        using var open = Create(remote: true, changes);
        Connect(open, TestNodes.Workload("far", "a", "10.0.0.1:80"), "10.0.0.1:5000").ShouldNotBeNull();
        changes.ShouldBe(["+far"]);
    }

    [Fact]
    public void Any_address_means_the_address_that_the_stream_comes_from()
    {
        Connect(_registry, TestNodes.Workload("one", "a", "0.0.0.0:8080"), "[::ffff:127.0.0.1]:5000");

        _registry.Current["one"].Addresses["http"].ToString().ShouldBe("127.0.0.1:8080");
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("host:80")]
    [InlineData("127.0.0.1:0")]
    [InlineData("127.0.0.1:70000")]
    [InlineData("::1:80")]
    public void An_address_that_is_none_is_left_out(string address)
        => Connect(_registry, TestNodes.Workload("one", "a", address)).ShouldBeNull();

    [Fact]
    public void A_restarted_registry_knows_its_workloads_and_gives_them_time_to_come_back()
    {
        using var first = new ListeningPort();
        using var second = new ListeningPort();
        Connect("one", first.Address);
        Connect("two", second.Address);
        var stopped = Connect("three", "127.0.0.1:3");
        stopped.ReportReady(false);
        _registry.Dispose();

        var changes = new List<string>();
        using var restarted = Create(changes: changes);
        restarted.Restore();
        restarted.Current.Keys.Order(StringComparer.Ordinal).ShouldBe(["one", "two"]);
        restarted.Current["one"].Labels["app"].ShouldBe("a");

        Connect(restarted, TestNodes.Workload("one", "a", first.Address));
        _time.Advance(29 * Second);
        changes.Order(StringComparer.Ordinal).ShouldBe(["+one", "+two"]);
        _time.Advance(Second);
        changes[^1].ShouldBe("-two");
        restarted.Current.Keys.ShouldBe(["one"]);
    }

    [Fact]
    public void A_workload_of_this_machine_that_nobody_answers_for_is_not_taken_back()
    {
        Connect("gone", $"127.0.0.1:{ClosedPort.Take()}");
        _registry.Dispose();

        using var restarted = Create(remote: true, changes: []);
        restarted.Restore();
        restarted.Current.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("{ not json")]
    [InlineData("[{\"id\":null},{\"id\":\"x\",\"namespace\":\"default\",\"addresses\":{\"http\":\"nowhere\"}}]")]
    [InlineData("null")]
    [InlineData("[null]")]
    [InlineData("")]
    public void A_corrupt_file_is_ignored_and_written_anew(string content)
    {
        File.WriteAllText(RegistrationsPath, content);

        _registry.Restore();
        _registry.Current.ShouldBeEmpty();
        Connect("one");
        _registry.Dispose();

        File.ReadAllText(RegistrationsPath).ShouldContain("\"one\"");
        Directory.GetFiles(_folder).ShouldBe([RegistrationsPath]);
    }

    [Fact]
    public void The_file_follows_some_time_after_a_change()
    {
        Connect("one");
        File.Exists(RegistrationsPath).ShouldBeFalse();

        _time.Advance(Second);

        File.ReadAllText(RegistrationsPath).ShouldContain("\"one\"");
    }
}
