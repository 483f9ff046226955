using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Sources;
using Mesh.K8s.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.ControlPlane.Tests.Reading;

public class ConfigStoreTests
{
    private readonly TestClock _clock = new();

    [Fact]
    public void A_snapshot_is_ordered_typed_and_versioned()
    {
        var memory = new InMemoryConfigSource(_clock);
        using var store = new ConfigStore([memory]);
        store.Current.Version.ShouldBe(0);

        memory.Apply(Yamls.Service("b") + "---\n" + Yamls.Subset("b") + "---\n" + Yamls.Service("a", ns: "shop") + "---\n" + Yamls.Service("a"));

        store.Current.Version.ShouldBe(1);
        store.Current.Resources.Select(r => $"{r.Kind.Kind} {r.Namespace}/{r.Name}").ShouldBe(["Service default/a", "DestinationRule default/b", "Service default/b", "Service shop/a"]);
        store.Current.Of<ServiceSpec>().Count().ShouldBe(3);
    }

    [Fact]
    public void Apply_replace_and_delete_do_what_they_say()
    {
        var memory = new InMemoryConfigSource(_clock);
        memory.Apply(Yamls.Service("a") + "---\n" + Yamls.Service("b")).ShouldBeEmpty();

        memory.Apply(Yamls.Service("b", 81) + "---\n" + Yamls.Service("c")).ShouldBeEmpty();
        Names(memory).ShouldBe(["a", "b", "c"]);

        memory.Replace(Yamls.Service("c") + "---\n" + Yamls.Service("d"));
        Names(memory).ShouldBe(["c", "d"]);

        memory.Delete("Service", "default", "c").ShouldBeTrue();
        memory.Delete("Service", "default", "c").ShouldBeFalse();
        memory.Delete("Service", "shop", "d").ShouldBeFalse();
        Names(memory).ShouldBe(["d"]);

        memory.Apply(Yamls.Subset("d"));
        memory.Delete("DestinationRule", "default", "d").ShouldBeTrue();
    }

    [Fact]
    public void An_invalid_document_keeps_its_last_good_version_and_is_told_until_it_is_right()
    {
        var memory = new InMemoryConfigSource(_clock);
        memory.Apply(Yamls.Service("a", 80));

        memory.Replace(Yamls.Service("a", 0) + "---\n" + Yamls.Service("b")).ShouldHaveSingleItem().File.ShouldBe("memory");
        Names(memory).ShouldBe(["a", "b"]);
        memory.Diagnostics.ShouldHaveSingleItem();

        memory.Apply("---\n]").ShouldHaveSingleItem().Code.ShouldBe(ConfigCodes.Syntax);
        Names(memory).ShouldBe(["a", "b"]);

        memory.Apply(Yamls.Service("a", 81)).ShouldBeEmpty();
        memory.Diagnostics.ShouldBeEmpty();
    }

    [Fact]
    public void The_same_document_twice_in_one_text_is_an_error_and_the_first_stays()
    {
        var memory = new InMemoryConfigSource(_clock);

        memory.Apply(Yamls.Service("a", 80) + "---\n" + Yamls.Service("a", 81)).Single().ToString()
            .ShouldBe("memory:7:1: error MESH0002: Service default/a: is given twice, first in memory:1: the first stays, remove or rename the other.");
        ((ServiceSpec)memory.Resources.Single().Spec).Ports[0].Port.ShouldBe(80);
    }

    [Fact]
    public void Created_is_the_first_sight_and_stays_while_the_document_changes()
    {
        var memory = new InMemoryConfigSource(_clock);
        using var store = new ConfigStore([memory]);
        var start = _clock.GetUtcNow();
        memory.Apply(Yamls.Service("a", 80));

        _clock.Advance(TimeSpan.FromHours(1));
        memory.Apply(Yamls.Service("a", 81) + "---\n" + Yamls.Service("b"));

        store.Current.Resources.Select(r => r.Created).ShouldBe([start, start.AddHours(1)]);

        memory.Delete("Service", "default", "a");
        _clock.Advance(TimeSpan.FromHours(1));
        memory.Apply(Yamls.Service("a", 81));
        store.Current.Resources[0].Created.ShouldBe(start.AddHours(2));
    }

    [Fact]
    public void A_creation_timestamp_in_the_document_wins()
    {
        var memory = new InMemoryConfigSource(_clock);
        using var store = new ConfigStore([memory]);
        memory.Apply(Yamls.Service("a"));
        memory.Apply(Yamls.Service("a").Replace("name: a", "name: a, creationTimestamp: \"2001-01-01T00:00:00Z\"", StringComparison.Ordinal));

        store.Current.Resources.Single().Created.Year.ShouldBe(2001);
    }

    [Fact]
    public void What_did_not_change_stays_the_same_object()
    {
        var memory = new InMemoryConfigSource(_clock);
        using var store = new ConfigStore([memory]);
        var raised = 0;
        store.Changed += _ => raised++;
        memory.Apply(Yamls.Service("a") + "---\n" + Yamls.Service("b") + "---\n" + Yamls.Service("c", 80));
        var before = store.Current.Resources;

        // The same text again: nothing happens at all.
        memory.Apply(Yamls.Service("a") + "---\n" + Yamls.Service("b") + "---\n" + Yamls.Service("c", 80));
        raised.ShouldBe(1);
        store.Current.Resources.ShouldBeSameAs(before);

        // b moves down by a comment, c changes.
        memory.Apply(Yamls.Service("a") + "---\n# moved\n" + Yamls.Service("b") + "---\n" + Yamls.Service("c", 81));
        var after = store.Current.Resources;
        raised.ShouldBe(2);
        after[0].ShouldBeSameAs(before[0]);
        after[1].ShouldNotBeSameAs(before[1]);
        after[1].Spec.ShouldBeSameAs(before[1].Spec);
        after[1].Source.Line.ShouldBe(before[1].Source.Line + 1);
        after[2].Spec.ShouldNotBeSameAs(before[2].Spec);
    }

    [Fact]
    public void The_same_document_in_two_files_is_an_error_that_names_both_and_the_first_stays()
    {
        using var folder = new TempFolder();
        folder.Write("b.yaml", Yamls.Service("x", 80));
        using var source = Folder(folder);
        using var store = new ConfigStore([source]);

        folder.Write("a.yaml", Yamls.Service("x", 81));
        Settle();

        var kept = store.Current.Resources.Single();
        kept.Source.File.ShouldBe(folder["b.yaml"]);
        store.Diagnostics.Single().ToString().ShouldBe($"{folder["a.yaml"]}:1:1: error MESH0002: Service default/x: is also in {folder["b.yaml"]}:1, which stays: remove or rename one of the two.");

        File.Delete(folder["b.yaml"]);
        Settle();
        store.Current.Resources.Single().Source.File.ShouldBe(folder["a.yaml"]);
        store.Diagnostics.ShouldBeEmpty();
    }

    [Fact]
    public void Two_sources_are_merged_and_the_earlier_wins()
    {
        var first = new InMemoryConfigSource(_clock);
        var second = new InMemoryConfigSource(_clock);
        first.Apply(Yamls.Service("a", 80));
        second.Apply(Yamls.Service("a", 81) + "---\n" + Yamls.Service("b"));
        using var store = new ConfigStore([first, second]);

        store.Current.Resources.Select(r => ((ServiceSpec)r.Spec).Ports[0].Port).ShouldBe([80, 80]);
        store.Diagnostics.ShouldHaveSingleItem().Code.ShouldBe(ConfigCodes.Duplicate);
    }

    [Fact]
    public void Reports_of_the_model_are_told_beside_those_of_the_sources()
    {
        var memory = new InMemoryConfigSource(_clock);
        using var store = new ConfigStore([memory]);
        var seen = new List<(long Version, int Told)>();
        var finding = new ConfigDiagnostic(ConfigSeverity.Error, "IST0101", "memory", 1, 1, "spec.host", null, "there is no such host.");
        store.Changed += Model;

        memory.Apply(Yamls.Service("a", 0));

        seen.ShouldBe([(0, 2), (0, 2)]);
        store.Changed -= Model;
        store.Report("model", []);
        store.Diagnostics.ShouldHaveSingleItem().Path.ShouldBe("spec.ports[0].port");

        // As the model does: it reports while it is being told of the change.
        void Model(ConfigSnapshot snapshot)
        {
            store.Report("model", [finding]);
            seen.Add((snapshot.Version, store.Diagnostics.Count));
        }
    }

    [Fact]
    public void Changed_is_called_one_at_a_time_and_ends_with_the_newest()
    {
        var memory = new InMemoryConfigSource(_clock);
        using var store = new ConfigStore([memory]);
        var inside = 0;
        var most = 0;
        ConfigSnapshot? last = null;
        store.Changed += snapshot =>
        {
            most = Math.Max(most, Interlocked.Increment(ref inside));
            last = snapshot;
            Interlocked.Decrement(ref inside);
        };

        Parallel.For(0, 200, i => memory.Apply(Yamls.Service($"s{i}")));

        most.ShouldBe(1);
        last.ShouldBeSameAs(store.Current);
        store.Current.Resources.Count.ShouldBe(200);
    }

    private static string[] Names(InMemoryConfigSource source) => [.. source.Resources.Select(r => r.Name).Order(StringComparer.Ordinal)];

    private FolderConfigSource Folder(TempFolder folder)
        => new(folder.Path, _clock, NullLogger<FolderConfigSource>.Instance, null, _ => throw new IOException("no inotify"));

    private void Settle()
    {
        _clock.Advance(FolderConfigOptions.Default.PollInterval);
        _clock.Advance(FolderConfigOptions.Default.SettleTime);
    }
}
