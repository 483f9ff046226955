using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.CircuitBreakers;

/// <summary>A request that waits for a connection. Completes with <see langword="null"/> when it holds a permit, or with the reply that it gets instead.</summary>
internal sealed class PendingRequest(EndpointState host) : TaskCompletionSource<LocalReply?>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public EndpointState Host { get; } = host;
}
