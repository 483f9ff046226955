using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Explaining;

/// <summary>
/// The last decisions of this process, a bounded number of them, while somebody wants them: from the start on where the settings say so, or for a while after
/// somebody has asked. Otherwise a request pays for one look at a flag.
/// </summary>
internal sealed class DecisionLog(TimeProvider time, int capacity) : IDecisionObserver
{
    /// <summary>How many are kept for somebody who asks, where the settings keep none.</summary>
    public const int UsualCapacity = 200;

    /// <summary>For how long at most.</summary>
    public static readonly TimeSpan LongestWatch = TimeSpan.FromMinutes(10);

    private static readonly HttpRequestOptionsKey<RequestSnapshot> Snapshot = new("Mesh.Explaining.Snapshot");

    private readonly Lock _gate = new();
    private readonly RecordedDecision?[] _ring = new RecordedDecision?[Math.Max(capacity, UsualCapacity)];
    private long _next;
    private long _watchBegan;
    private TimeSpan _watch;
    private volatile bool _isRecording = capacity > 0;

    /// <summary>Whether decisions are recorded now.</summary>
    public bool IsRecording => _isRecording && (capacity > 0 || Left > TimeSpan.Zero);

    /// <summary>How long decisions are recorded still; <see langword="null"/> for as long as the process lives.</summary>
    public TimeSpan? Left
    {
        get
        {
            if (capacity > 0)
            {
                return null;
            }

            lock (_gate)
            {
                var left = _watch - time.GetElapsedTime(_watchBegan);
                return _watch > TimeSpan.Zero && left > TimeSpan.Zero ? left : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Records for a while.</summary>
    public void Watch(TimeSpan duration)
    {
        lock (_gate)
        {
            _watchBegan = time.GetTimestamp();
            _watch = duration < LongestWatch ? duration : LongestWatch;
            _isRecording = capacity > 0 || _watch > TimeSpan.Zero;
        }
    }

    /// <summary>What is kept, the latest first.</summary>
    public IReadOnlyList<RecordedDecision> Latest()
    {
        lock (_gate)
        {
            return [.. _ring.OfType<RecordedDecision>().OrderByDescending(d => d.Number)];
        }
    }

    public RecordedDecision? Find(long number)
    {
        lock (_gate)
        {
            return number >= 0 && _ring[number % _ring.Length] is { } found && found.Number == number ? found : null;
        }
    }

    /// <summary>Forgets all of them, and lets go of the state that they were made by.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            Array.Clear(_ring);
        }
    }

    public void OnRouted(HttpRequestMessage request)
    {
        if (_isRecording)
        {
            request.Options.Set(Snapshot, new RequestSnapshot(request));
        }
    }

    public void OnDecided(HostEntry host, HttpRequestMessage request, ulong draw, in Decision decision)
    {
        if (!_isRecording)
        {
            return;
        }

        if (capacity == 0 && Left <= TimeSpan.Zero)
        {
            _isRecording = false;
            return;
        }

        var snapshot = request.Options.TryGetValue(Snapshot, out var taken) ? taken : new RequestSnapshot(request);
        var now = time.GetUtcNow();
        lock (_gate)
        {
            _ring[_next % _ring.Length] = new RecordedDecision(_next, now, host, snapshot, draw, decision);
            _next++;
        }
    }

    public void OnOutsideMesh(HttpRequestMessage request, bool refused, string reason)
    {
    }
}
