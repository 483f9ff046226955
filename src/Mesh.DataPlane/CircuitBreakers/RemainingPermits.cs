namespace Mesh.DataPlane.CircuitBreakers;

/// <summary>Envoy's <c>remaining_cx</c>, <c>remaining_pending</c>, <c>remaining_rq</c> and <c>remaining_retries</c> (0 under a retry budget).</summary>
internal readonly record struct RemainingPermits(long Connections, long PendingRequests, long Requests, long Retries);
