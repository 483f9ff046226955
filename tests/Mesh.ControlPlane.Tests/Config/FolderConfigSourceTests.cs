using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Sources;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.ControlPlane.Tests.Reading;

public sealed class FolderConfigSourceTests : IDisposable
{
    private static readonly FolderConfigOptions Options = FolderConfigOptions.Default;

    private readonly TempFolder _folder = new();
    private readonly TestClock _clock = new();
    private readonly List<FolderConfigSource> _sources = [];

    public void Dispose()
    {
        _sources.ForEach(s => s.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public void The_first_load_is_there_when_the_constructor_returns()
    {
        _folder.Write("b.yml", Yamls.Service("b"));
        _folder.Write("below/a.yaml", Yamls.Service("a") + "---\n" + Yamls.Subset("a"));

        var source = Polling();

        Names(source).ShouldBe(["b", "a", "a"]);
        source.Diagnostics.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(".a.yaml.swp")]
    [InlineData(".a.yaml")]
    [InlineData("a.yaml~")]
    [InlineData(".#a.yaml")]
    [InlineData("#a.yaml")]
    [InlineData("#a.yaml#")]
    [InlineData("4913")]
    [InlineData("a.yaml.tmp")]
    [InlineData("a.json")]
    [InlineData(".git/a.yaml")]
    public void Files_of_editors_and_others_are_not_read(string name)
    {
        _folder.Write(name, "{");

        var source = Polling();

        source.Resources.ShouldBeEmpty();
        source.Diagnostics.ShouldBeEmpty();
    }

    [Fact]
    public void A_change_is_applied_when_it_has_been_stable_for_the_settle_time()
    {
        _folder.Write("a.yaml", Yamls.Service("a", 80));
        var source = Polling();
        var changes = 0;
        source.Changed += () => changes++;

        _folder.Write("a.yaml", Yamls.Service("a", 8));
        _clock.Advance(Options.PollInterval);
        Port(source, "a").ShouldBe(80);

        // Still being written: the wait begins anew.
        _clock.Advance(Options.SettleTime - TimeSpan.FromMilliseconds(1));
        _folder.Write("a.yaml", Yamls.Service("a", 8080));
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Port(source, "a").ShouldBe(80);
        _clock.Advance(Options.SettleTime - TimeSpan.FromMilliseconds(1));
        Port(source, "a").ShouldBe(80);
        changes.ShouldBe(0);

        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Port(source, "a").ShouldBe(8080);
        changes.ShouldBe(1);
    }

    [Theory]
    [InlineData("", "1:1", "the file is empty: delete it to remove its documents; until then its last good documents stay.")]
    [InlineData(" \n\n", "1:1", "the file is empty: delete it to remove its documents; until then its last good documents stay.")]
    [InlineData("apiVersion: v1\nkind: Service\nmeta", "4:1", "this is not YAML")]
    [InlineData("apiVersion: v1\nkind: [", "2:8", "this is not YAML")]
    public void A_file_that_became_unusable_keeps_its_last_good_documents_until_it_is_deleted(string text, string place, string message)
    {
        var path = _folder.Write("a.yaml", Yamls.Service("a"));
        var source = Polling();

        _folder.Write("a.yaml", text);
        Settle();

        Names(source).ShouldBe(["a"]);
        var told = source.Diagnostics.ShouldHaveSingleItem();
        told.File.ShouldBe(path);
        told.Severity.ShouldBe(ConfigSeverity.Error);
        told.Message.ShouldStartWith(message);
        if (text.Trim().Length == 0)
        {
            $"{told.Line}:{told.Column}".ShouldBe(place);
        }

        File.Delete(path);
        Settle();
        source.Resources.ShouldBeEmpty();
        source.Diagnostics.ShouldBeEmpty();
    }

    [Fact]
    public void A_file_that_is_not_utf8_tells_where_and_keeps_its_last_good_documents()
    {
        var path = _folder.Write("a.yaml", Yamls.Service("a"));
        var source = Polling();

        File.WriteAllBytes(path, [.. "apiVersion: v1\nkind: "u8, 0xC3, 0x28]);
        Settle();

        Names(source).ShouldBe(["a"]);
        source.Diagnostics.Single().ToString().ShouldStartWith($"{path}:2:7: error MESH0005: the file is not UTF-8 from here on");
    }

    [Fact]
    public void A_document_with_an_error_keeps_its_last_good_version_and_the_others_of_its_file_apply()
    {
        _folder.Write("a.yaml", Yamls.Service("a", 80) + "---\n" + Yamls.Service("b", 80) + "---\n" + Yamls.Service("c", 80));
        var source = Polling();

        _folder.Write("a.yaml", Yamls.Service("a", 81) + "---\n" + Yamls.Service("b", 0));
        Settle();

        Names(source).ShouldBe(["a", "b"]);
        Port(source, "a").ShouldBe(81);
        Port(source, "b").ShouldBe(80);
        source.Diagnostics.Single().Path.ShouldBe("spec.ports[0].port");
    }

    [Fact]
    public void A_document_whose_name_cannot_be_read_takes_nothing_away()
    {
        _folder.Write("a.yaml", Yamls.Service("a") + "---\n" + Yamls.Service("b"));
        var source = Polling();

        _folder.Write("a.yaml", Yamls.Service("a") + "---\n" + "apiVersion: v1\nkind: Service\nmetadata: b\nspec: {ports: [{port: 80}]}");
        Settle();

        Names(source).ShouldBe(["a", "b"]);
    }

    [Fact]
    public void A_file_deleted_and_written_again_within_the_settle_time_never_disappears()
    {
        var path = _folder.Write("a.yaml", Yamls.Service("a"));
        var source = Polling();
        var changes = 0;
        source.Changed += () => changes++;

        File.Delete(path);
        _clock.Advance(Options.PollInterval);
        _folder.Write("a.yaml", Yamls.Service("a"));
        _clock.Advance(Options.PollInterval);

        Names(source).ShouldBe(["a"]);
        changes.ShouldBe(0);
    }

    [Fact]
    public void A_folder_that_vanishes_keeps_what_was_read_and_is_read_again_when_it_is_back()
    {
        _folder.Write("a.yaml", Yamls.Service("a"));
        var source = Watching();
        source.IsWatching.ShouldBeTrue();

        Directory.Delete(_folder.Path, recursive: true);
        _clock.Advance(Options.SafetyPollInterval);
        source.IsWatching.ShouldBeFalse();
        Names(source).ShouldBe(["a"]);
        source.Diagnostics.Single().Message.ShouldBe("the folder does not exist: create it, or name another. What was read before stays.");

        _folder.Write("b.yaml", Yamls.Service("b"));
        Settle();
        Names(source).ShouldBe(["b"]);
        source.Diagnostics.ShouldBeEmpty();
        source.IsWatching.ShouldBeTrue();
    }

    [Fact]
    public void Exhausted_inotify_limits_fall_back_to_polling_until_watching_works_again()
    {
        var exhausted = true;
        var source = Create(path => exhausted ? throw new IOException("The configured user limit (128) on the number of inotify instances has been reached.") : new FileSystemWatcher(path));
        source.IsWatching.ShouldBeFalse();

        _folder.Write("a.yaml", Yamls.Service("a"));
        Settle();
        Names(source).ShouldBe(["a"]);

        exhausted = false;
        _clock.Advance(Options.PollInterval);
        source.IsWatching.ShouldBeTrue();
    }

    [Fact]
    public async Task A_watch_that_fails_later_falls_back_to_polling_and_is_tried_again_after_the_safety_interval()
    {
        _folder.Write("a.yaml", Yamls.Service("a", 80));
        FailingWatcher? watcher = null;
        var made = 0;
        var source = Create(path =>
        {
            made++;
            return watcher = new FailingWatcher(path);
        });

        watcher!.Fail(new IOException("The configured user limit on the number of inotify watches has been reached."));
        await Heard();
        source.IsWatching.ShouldBeFalse();
        made.ShouldBe(1);

        _folder.Write("a.yaml", Yamls.Service("a", 8080));
        Settle();
        Port(source, "a").ShouldBe(8080);
        made.ShouldBe(1);

        _clock.Advance(Options.SafetyPollInterval);
        source.IsWatching.ShouldBeTrue();
        made.ShouldBe(2);
    }

    [Fact]
    public async Task Events_lost_by_a_full_buffer_are_made_up_for_by_looking()
    {
        FailingWatcher? watcher = null;
        using var elsewhere = new TempFolder();
        var source = Create(_ => watcher = new FailingWatcher(elsewhere.Path));
        _folder.Write("a.yaml", Yamls.Service("a"));

        watcher!.Fail(new InternalBufferOverflowException());
        await Heard();

        Names(source).ShouldBe(["a"]);
        source.IsWatching.ShouldBeTrue();
    }

    [Fact]
    public async Task Follows_a_file_by_the_real_clock_and_the_real_watcher()
    {
        _folder.Write("a.yaml", Yamls.Service("a", 80));
        using var source = new FolderConfigSource(_folder.Path, TimeProvider.System, NullLogger<FolderConfigSource>.Instance);
        using var store = new ConfigStore([source]);
        var changed = new TaskCompletionSource<ConfigSnapshot>(TaskCreationOptions.RunContinuationsAsynchronously);
        store.Changed += snapshot => changed.TrySetResult(snapshot);

        // In one step, as this clock does not stand still meanwhile.
        _folder.Write("a.yaml.tmp", Yamls.Service("a", 8080));
        File.Move(_folder["a.yaml.tmp"], _folder["a.yaml"], overwrite: true);

        var snapshot = await changed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        snapshot.Version.ShouldBe(2);
        Port(source, "a").ShouldBe(8080);
    }

    [Fact]
    public void A_change_of_which_no_event_was_heard_is_found_by_the_safety_poll()
    {
        _folder.Write("a.yaml", Yamls.Service("a", 80));
        // Watches another folder: nothing is ever heard of this one.
        using var elsewhere = new TempFolder();
        var source = Create(_ => new FileSystemWatcher(elsewhere.Path));

        // Same length, same time stamp: only the content tells.
        var written = File.GetLastWriteTimeUtc(_folder["a.yaml"]);
        _folder.Write("a.yaml", Yamls.Service("a", 81));
        File.SetLastWriteTimeUtc(_folder["a.yaml"], written);
        _clock.Advance(Options.SafetyPollInterval + Options.SettleTime);

        Port(source, "a").ShouldBe(81);
    }

    [Fact]
    public void Reads_a_thousand_files_and_the_one_that_changes()
    {
        for (var i = 0; i < 1000; i++)
        {
            _folder.Write($"{i / 100}/{i:D4}.yaml", Yamls.Service($"s{i}"));
        }

        var source = Polling();
        source.Resources.Count.ShouldBe(1000);
        var before = source.Resources.ToDictionary(r => r.Name);

        _folder.Write("7/0777.yaml", Yamls.Service("s777", 8080));
        Settle();

        Port(source, "s777").ShouldBe(8080);
        source.Resources.Count(r => !ReferenceEquals(r, before[r.Name])).ShouldBe(1);
    }

    [Fact]
    public void More_files_than_allowed_are_told()
    {
        for (var i = 0; i < 4; i++)
        {
            _folder.Write($"{i}.yaml", Yamls.Service($"s{i}"));
        }

        var source = Create(Broken, Options with { MaxFiles = 3 });

        Names(source).ShouldBe(["s0", "s1", "s2"]);
        source.Diagnostics.Single().Message.ShouldBe("the folder has more than the 3 files allowed: the rest is not read.");
    }

    [Fact]
    public void Links_in_a_circle_are_followed_once()
    {
        _folder.Write("a/a.yaml", Yamls.Service("a"));
        Directory.CreateSymbolicLink(_folder["a/up"], _folder.Path);
        Directory.CreateSymbolicLink(_folder["b"], _folder["a"]);

        Names(Polling()).ShouldBe(["a"]);
    }

    [Fact]
    public async Task Hears_a_save_by_truncate_and_write()
    {
        _folder.Write("a.yaml", Yamls.Service("a", 80));
        var source = Watching();

        await using (var stream = new FileStream(_folder["a.yaml"], FileMode.Truncate))
        {
            stream.Write("apiVersion: v1\n"u8);
            stream.Flush(flushToDisk: true);
            stream.Write(System.Text.Encoding.UTF8.GetBytes(Yamls.Service("a", 8080)["apiVersion: v1\n".Length..]));
        }

        await Heard();
        Port(source, "a").ShouldBe(8080);
    }

    [Fact]
    public async Task Hears_a_save_by_rename()
    {
        _folder.Write("a.yaml", Yamls.Service("a", 80));
        var source = Watching();

        _folder.Write(".a.yaml.tmp", Yamls.Service("a", 8080));
        File.Move(_folder[".a.yaml.tmp"], _folder["a.yaml"], overwrite: true);

        await Heard();
        Port(source, "a").ShouldBe(8080);
    }

    [Fact]
    public async Task Hears_the_link_swap_of_a_mounted_config_map()
    {
        _folder.Write("..1/a.yaml", Yamls.Service("a", 80));
        _folder.Write("..2/a.yaml", Yamls.Service("a", 8080));
        Directory.CreateSymbolicLink(_folder["..data"], "..1");
        File.CreateSymbolicLink(_folder["a.yaml"], "..data/a.yaml");
        var source = Watching();
        Names(source).ShouldBe(["a"]);

        Directory.CreateSymbolicLink(_folder["..data_tmp"], "..2");
        // rename(2) swaps the link in one step; File.Move refuses a link to a folder.
        using (var mv = System.Diagnostics.Process.Start("mv", ["-T", _folder["..data_tmp"], _folder["..data"]]))
        {
            await mv.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        }

        await Heard();
        Port(source, "a").ShouldBe(8080);
    }

    [Fact]
    public async Task Hears_a_new_file_in_a_new_folder_and_a_deleted_one()
    {
        var path = _folder.Write("a.yaml", Yamls.Service("a"));
        var source = Watching();

        _folder.Write("new/b.yaml", Yamls.Service("b"));
        File.Delete(path);

        await Heard();
        Names(source).ShouldBe(["b"]);
    }

    [Fact]
    public void A_missing_folder_is_told_and_watched_for()
    {
        Directory.Delete(_folder.Path);
        var source = Watching();
        source.Diagnostics.ShouldHaveSingleItem().Code.ShouldBe(ConfigCodes.Unreadable);

        _folder.Write("a.yaml", Yamls.Service("a"));
        Settle();
        Names(source).ShouldBe(["a"]);
    }

    private sealed class FailingWatcher(string path) : FileSystemWatcher(path)
    {
        public void Fail(Exception error) => OnError(new ErrorEventArgs(error));
    }

    private static FileSystemWatcher Broken(string path) => throw new IOException("no inotify");

    private static string[] Names(FolderConfigSource source) => [.. source.Resources.Select(r => r.Name)];

    private static int Port(FolderConfigSource source, string name)
        => ((Mesh.K8s.V1.ServiceSpec)source.Resources.Single(r => r.Name == name).Spec).Ports[0].Port;

    private FolderConfigSource Polling() => Create(Broken);

    private FolderConfigSource Watching() => Create(path => new FileSystemWatcher(path));

    private FolderConfigSource Create(Func<string, FileSystemWatcher> watch, FolderConfigOptions? options = null)
    {
        var source = new FolderConfigSource(_folder.Path, _clock, NullLogger<FolderConfigSource>.Instance, options ?? Options, watch);
        _sources.Add(source);
        return source;
    }

    private void Settle()
    {
        _clock.Advance(Options.PollInterval);
        _clock.Advance(Options.SettleTime);
    }

    // The event comes from the kernel on another thread; from then on time is the test's.
    private async Task Heard()
    {
        await _clock.TimerWithin(Options.GatherTime);
        _clock.Advance(Options.GatherTime);
        _clock.Advance(Options.SettleTime);
    }
}
