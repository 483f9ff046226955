using System.Collections.Concurrent;

namespace Mesh.ControlPlane.Generators.Signals;

/// <summary>Hands out the same object for what is equal, from one set of documents to the next: whoever asks "is it the same?" compares references.</summary>
internal sealed class ListenerSignalsPool
{
    /// <summary>Telemetry that names a workload's tags is one per kind of workload: the bound keeps one that invents labels from filling the memory.</summary>
    private const int MaxKept = 10_000;

    private readonly ConcurrentDictionary<ListenerSignals, ListenerSignals> _kept = new();

    public ListenerSignals Keep(ListenerSignals signals)
    {
        if (_kept.Count >= MaxKept)
        {
            _kept.Clear();
        }

        return _kept.GetOrAdd(signals, signals);
    }
}
