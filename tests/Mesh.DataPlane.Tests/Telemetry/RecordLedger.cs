using System.Runtime.CompilerServices;
using Mesh.DataPlane.Telemetry;

namespace Mesh.DataPlane.Tests.Telemetry;

/// <summary>Keeps what every record told at its end, and sees that each began once and ended once.</summary>
internal sealed class RecordLedger : RequestSink
{
    private readonly Lock _sync = new();
    // A response that is lost is found by the garbage collector: nothing here may hold on to it.
    private readonly ConditionalWeakTable<RequestRecord, object> _begun = [];
    private readonly List<EndedRequest> _ended = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];
    private int _open;
    private int _confused;

    public int Open => Volatile.Read(ref _open);

    /// <summary>Records that ended twice, or began when they had not ended.</summary>
    public int Confused => Volatile.Read(ref _confused);

    public IReadOnlyList<EndedRequest> Ended
    {
        get
        {
            lock (_sync)
            {
                return [.. _ended];
            }
        }
    }

    public override void OnBegin(RequestRecord record)
    {
        lock (_sync)
        {
            _open++;
            _confused += _begun.TryAdd(record, this) ? 0 : 1;
        }
    }

    public override void OnEnd(RequestRecord record)
    {
        lock (_sync)
        {
            _open--;
            _confused += _begun.Remove(record) ? 0 : 1;
            _ended.Add(new EndedRequest(
                record.Reporter, record.Method, record.Path, record.Authority, record.ClusterName, record.Endpoint?.ToString(), record.Status, record.Flags, record.Details,
                record.Attempts, record.RequestBytes, record.ResponseBytes, record.GrpcStatus, record.Duration, (record.RequestMessages, record.ResponseMessages)));
            foreach (var (_, reached) in _waiting.Where(w => w.Count <= _ended.Count))
            {
                reached.TrySetResult();
            }
        }
    }

    /// <summary>Completes when so many have ended.</summary>
    public Task EndedAsync(int count)
    {
        lock (_sync)
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_ended.Count >= count)
            {
                reached.SetResult();
            }
            else
            {
                _waiting.Add((count, reached));
            }

            return reached.Task;
        }
    }
}

/// <summary>What a record told at its end.</summary>
internal sealed record EndedRequest(
    Reporter Reporter, string Method, string Path, string Authority, string? Cluster, string? Endpoint, int Status, string Flags, string Details,
    int Attempts, long RequestBytes, long ResponseBytes, int GrpcStatus, TimeSpan Duration, (long Sent, long Received) Messages);
