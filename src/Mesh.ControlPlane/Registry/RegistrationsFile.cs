using System.Collections.Immutable;
using System.Text.Json;
using Mesh.ControlPlane.Model;
using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Registry;

/// <summary>
/// The registrations on disk, so that a control plane that has just started does not tell its clients that nobody serves.
/// Written some time after a change, by one writer, as a new file that replaces the old one.
/// </summary>
internal sealed partial class RegistrationsFile : IDisposable
{
    private const int MaxWorkloads = 100_000;
    private const long MaxBytes = 256L << 20;
    private static readonly TimeSpan WriteDelay = TimeSpan.FromMilliseconds(100);

    private readonly object _gate = new();
    private readonly object _writing = new();
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private ImmutableDictionary<string, WorkloadInstance>? _pending;
    private ITimer? _timer;
    private bool _disposed;

    public RegistrationsFile(string path, TimeProvider time, ILogger<RegistrationsFile> logger)
    {
        _path = Path.GetFullPath(path);
        _time = time;
        _logger = logger;
    }

    /// <summary>Reads the file; one that is missing yields nothing, one that cannot be read is reported and yields nothing.</summary>
    public IReadOnlyList<WorkloadInstance> Read()
    {
        try
        {
            if (!File.Exists(_path))
            {
                return [];
            }

            using var stream = File.OpenRead(_path);
            if (stream.Length > MaxBytes)
            {
                throw new InvalidDataException($"it has {stream.Length} bytes, more than {MaxBytes}");
            }

            var records = JsonSerializer.Deserialize(stream, RegistrationsJson.Default.RegistrationRecordArray) ?? [];
            return [.. records.Take(MaxWorkloads).Where(record => record is { IsUsable: true }).Select(record => record.ToInstance())];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidDataException)
        {
            Log.Unreadable(_logger, _path, e.Message);
            return [];
        }
    }

    /// <summary>Remembers what to write; never blocks on the disk.</summary>
    public void Write(ImmutableDictionary<string, WorkloadInstance> workloads)
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _pending = workloads;
            _timer ??= _time.CreateTimer(static state => ((RegistrationsFile)state!).Flush(), this, WriteDelay, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Writes what is waiting to be written.</summary>
    public void Flush()
    {
        lock (_writing)
        {
            ImmutableDictionary<string, WorkloadInstance>? workloads;
            lock (_gate)
            {
                workloads = _pending;
                _pending = null;
                _timer?.Dispose();
                _timer = null;
            }

            if (workloads is not null)
            {
                Save(workloads);
            }
        }
    }

    public void Dispose()
    {
        Flush();
        lock (_gate)
        {
            _disposed = true;
        }
    }

    private void Save(ImmutableDictionary<string, WorkloadInstance> workloads)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            var temporary = _path + ".new";
            using (var stream = File.Create(temporary))
            {
                var records = workloads.Values
                    .OrderBy(workload => workload.Id, StringComparer.Ordinal)
                    .Take(MaxWorkloads)
                    .Select(RegistrationRecord.Of)
                    .ToArray();
                JsonSerializer.Serialize(stream, records, RegistrationsJson.Default.RegistrationRecordArray);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, _path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NotWritten(_logger, _path, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3221, LogLevel.Warning,
            "The registrations in {Path} cannot be read and are ignored: {Reason}. "
            + "Clients learn of each workload when it reconnects; the next registration writes the file anew.")]
        public static partial void Unreadable(ILogger logger, string path, string reason);

        [LoggerMessage(3222, LogLevel.Warning,
            "The registrations cannot be written to {Path}: {Reason}. After a "
            + "restart the control plane will not know its workloads until they reconnect; set Mesh:ControlPlane:RegistrationsFile to a writable path.")]
        public static partial void NotWritten(ILogger logger, string path, string reason);
    }
}
