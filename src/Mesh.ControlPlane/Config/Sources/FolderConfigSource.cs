using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Config.Sources;

/// <summary>
/// The YAML files of a folder and those below it, watched. Events only say when to look: what counts is the content, so that no way
/// of saving (truncate and write, rename, link swap), no lost event and no exhausted limit is missed for longer than a poll.
/// </summary>
internal sealed partial class FolderConfigSource : IConfigSource, IDisposable
{
    private static readonly TimeSpan OneTick = TimeSpan.FromMilliseconds(1);

    private readonly string _folder;
    private readonly FolderConfigOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConfigReader _reader;
    private readonly Func<string, FileSystemWatcher> _watch;
    private readonly SortedDictionary<string, WatchedFile> _files = new(StringComparer.Ordinal);
    private readonly Lock _scanning = new();
    private readonly Lock _scheduling = new();
    private readonly ITimer _timer;
    private volatile State _state = new([], []);
    private FileSystemWatcher? _watcher;
    private ConfigDiagnostic? _folderProblem;
    private DateTimeOffset _due = DateTimeOffset.MaxValue;
    private string? _watched;
    private bool _polling;
    private DateTimeOffset _watchAgain;
    private volatile bool _disposed;

    /// <summary>Reads the folder at once, so that whoever starts has its configuration, and watches it from then on.</summary>
    public FolderConfigSource(string folder, TimeProvider time, ILogger<FolderConfigSource> logger, FolderConfigOptions? options = null)
        : this(folder, time, logger, options, path => new FileSystemWatcher(path))
    {
    }

    /// <summary>For tests: <paramref name="watch"/> makes the watcher, or fails as it does when inotify's limits are exhausted.</summary>
    internal FolderConfigSource(
        string folder,
        TimeProvider time,
        ILogger<FolderConfigSource> logger,
        FolderConfigOptions? options,
        Func<string, FileSystemWatcher> watch)
    {
        _folder = Path.GetFullPath(folder);
        _options = options ?? FolderConfigOptions.Default;
        _time = time;
        _logger = logger;
        _watch = watch;
        _reader = new ConfigReader(_options.Reader, time);
        _timer = time.CreateTimer(static self => ((FolderConfigSource)self!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        // Watch first: what changes between the two is then seen twice instead of never.
        Watch();
        Scan(TimeSpan.Zero);
    }

    public event Action? Changed;

    public string Name => _folder;

    public IReadOnlyList<ConfigResource> Resources => _state.Resources;

    public IReadOnlyList<ConfigDiagnostic> Diagnostics => _state.Diagnostics;

    /// <summary>Whether events of the file system are heard; without, the folder is polled.</summary>
    internal bool IsWatching => _watcher is not null;

    public void Dispose()
    {
        lock (_scheduling)
        {
            _disposed = true;
            _timer.Dispose();
        }

        lock (_scanning)
        {
            Unwatch();
        }
    }

    private void Look()
    {
        lock (_scheduling)
        {
            _due = DateTimeOffset.MaxValue;
        }

        Scan(_options.SettleTime);
    }

    private void Scan(TimeSpan settle)
    {
        var changed = false;
        lock (_scanning)
        {
            if (_disposed)
            {
                return;
            }

            var now = _time.GetUtcNow();
            // A folder that was deleted and made anew, or a link that points elsewhere now, is another folder to inotify.
            if (_watcher is null ? now >= _watchAgain : Identity() != _watched)
            {
                Watch();
            }

            var next = now + (_watcher is null ? _options.PollInterval : _options.SafetyPollInterval);
            if (TryList(out var paths, out changed))
            {
                foreach (var path in paths.Union(_files.Keys).ToArray())
                {
                    var again = Observe(path, paths, now, settle, ref changed);
                    next = again < next ? again.Value : next;
                }
            }

            if (changed)
            {
                Publish();
            }

            Schedule(next);
        }

        if (changed)
        {
            Log.Applied(_logger, _folder, _files.Count, Resources.Count, Diagnostics.Count(d => d.Severity == ConfigSeverity.Error));
            Changed?.Invoke();
        }
    }

    private DateTimeOffset? Observe(string path, HashSet<string> present, DateTimeOffset now, TimeSpan settle, ref bool changed)
    {
        var content = present.Contains(path) ? FileContent.Read(path, _options.Reader.Limits.MaxCharacters) : FileContent.Missing;
        if (!_files.TryGetValue(path, out var file))
        {
            if (content.State == FileState.Missing)
            {
                return null;
            }

            _files.Add(path, file = new WatchedFile(path));
        }

        var again = file.Observe(content, now, settle, _reader, out var applied);
        changed |= applied;
        if (file.Removed)
        {
            _files.Remove(path);
        }

        return again;
    }

    // A folder that cannot be listed is not an empty one: an unmounted volume must not take the mesh down.
    private bool TryList(out HashSet<string> paths, out bool changed)
    {
        ConfigDiagnostic? problem = null;
        paths = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            var files = ConfigFiles.List(_folder, _options.MaxFiles + 1);
            if (files.Count > _options.MaxFiles)
            {
                problem = Problem($"the folder has more than the {_options.MaxFiles:N0} files allowed: the rest is not read.");
                files.RemoveAt(_options.MaxFiles);
            }

            paths.UnionWith(files);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            problem = Problem(Directory.Exists(_folder)
                ? $"the folder cannot be listed: {error.Message} What was read before stays."
                : "the folder does not exist: create it, or name another. What was read before stays.");
        }

        changed = problem != _folderProblem;
        _folderProblem = problem;
        return problem is null || paths.Count > 0;

        ConfigDiagnostic Problem(string message) => new(ConfigSeverity.Error, ConfigCodes.Unreadable, _folder, 1, 1, "", null, message);
    }

    private void Publish()
    {
        var resources = _files.Values.SelectMany(f => f.Resources).ToArray();
        var diagnostics = _files.Values.SelectMany(f => f.Diagnostics);
        _state = new State(resources, _folderProblem is null ? [.. diagnostics] : [_folderProblem, .. diagnostics]);
    }

    private void Watch()
    {
        Unwatch();
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = _watch(_folder);
            watcher.IncludeSubdirectories = true;
            watcher.NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.CreationTime;
            watcher.Created += OnEvent;
            watcher.Changed += OnEvent;
            watcher.Deleted += OnEvent;
            watcher.Renamed += OnEvent;
            watcher.Error += OnError;
            watcher.EnableRaisingEvents = true;
            _watcher = watcher;
            _watched = Identity();
            _polling = false;
        }
        // IOException: inotify's limits. ArgumentException: no such folder.
        catch (Exception error) when (error is IOException or ArgumentException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            watcher?.Dispose();
            if (!_polling)
            {
                Log.Polling(_logger, _folder, _options.PollInterval, error.Message);
            }

            _polling = true;
        }
    }

    private string? Identity()
    {
        try
        {
            var folder = new DirectoryInfo(_folder);
            var real = folder.ResolveLinkTarget(returnFinalTarget: true) ?? folder;
            return real.Exists ? $"{real.FullName} {real.CreationTimeUtc.Ticks}" : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void Unwatch()
    {
        _watcher?.Dispose();
        _watcher = null;
    }

    private void OnEvent(object sender, FileSystemEventArgs? e) => Schedule(_time.GetUtcNow() + _options.GatherTime);

    private void OnError(object sender, ErrorEventArgs e)
    {
        if (e.GetException() is InternalBufferOverflowException)
        {
            // Events were lost, not the watch: the folder itself tells what they were.
            OnEvent(sender, null);
            return;
        }

        // On a thread of its own: a watcher must not be disposed from within its own event.
        _ = Task.Run(() =>
        {
            lock (_scanning)
            {
                if (_disposed || !ReferenceEquals(sender, _watcher))
                {
                    return;
                }

                Unwatch();
                // A limit that a folder below ran into would be run into again at once.
                _watchAgain = _time.GetUtcNow() + _options.SafetyPollInterval;
                Log.Polling(_logger, _folder, _options.PollInterval, e.GetException().Message);
            }

            Schedule(_time.GetUtcNow() + _options.GatherTime);
        });
    }

    private void Schedule(DateTimeOffset due)
    {
        lock (_scheduling)
        {
            if (_disposed || due >= _due)
            {
                return;
            }

            _due = due;
            var wait = due - _time.GetUtcNow();
            _timer.Change(wait > OneTick ? wait : OneTick, Timeout.InfiniteTimeSpan);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3101, LogLevel.Information, "Read {Folder} (files: {Files}, documents: {Documents}, errors: {Errors}).")]
        public static partial void Applied(ILogger logger, string folder, int files, int documents, int errors);

        [LoggerMessage(3102, LogLevel.Warning, "{Folder} cannot be watched and is read every {Interval}: {Reason}")]
        public static partial void Polling(ILogger logger, string folder, TimeSpan interval, string reason);
    }

    private sealed record State(IReadOnlyList<ConfigResource> Resources, IReadOnlyList<ConfigDiagnostic> Diagnostics);
}
