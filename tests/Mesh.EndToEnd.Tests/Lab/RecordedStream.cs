using System.Collections.Concurrent;
using Envoy.Service.Discovery.V3;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>One incremental stream as the control plane saw it.</summary>
internal sealed class RecordedStream(Func<ValueTask> abort)
{
    public ConcurrentQueue<DeltaDiscoveryRequest> Requests { get; } = new();

    public ConcurrentQueue<DeltaDiscoveryResponse> Responses { get; } = new();

    /// <summary>Cuts the stream, as a broken connection does.</summary>
    public ValueTask AbortAsync() => abort();

    public string NodeId => Requests.Select(request => request.Node?.Id).FirstOrDefault(id => !string.IsNullOrEmpty(id)) ?? "";
}
