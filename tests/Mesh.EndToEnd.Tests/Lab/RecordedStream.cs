using System.Collections.Concurrent;
using Envoy.Service.Discovery.V3;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>One incremental stream as the control plane saw it.</summary>
internal sealed class RecordedStream(Func<ValueTask> abort)
{
    private int _handled;

    public ConcurrentQueue<DeltaDiscoveryRequest> Requests { get; } = new();

    public ConcurrentQueue<DeltaDiscoveryResponse> Responses { get; } = new();

    /// <summary>How many of the requests the control plane has acted on.</summary>
    public int Handled { get => Volatile.Read(ref _handled); set => Volatile.Write(ref _handled, value); }

    /// <summary>Cuts the stream, as a broken connection does.</summary>
    public ValueTask AbortAsync() => abort();

    public string NodeId => Requests.Select(request => request.Node?.Id).FirstOrDefault(id => !string.IsNullOrEmpty(id)) ?? "";
}
