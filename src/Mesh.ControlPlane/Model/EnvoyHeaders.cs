namespace Mesh.ControlPlane.Model;

/// <summary>What a workload's <c>proxyHeaders</c> say of the headers that Envoy adds of its own accord; the default is Istio's.</summary>
/// <param name="HidesAttempts">Upstreams are not told how often a request has been tried.</param>
/// <param name="HidesDebugging">The router leaves its debugging headers (<c>x-envoy-original-path</c> and the like) out.</param>
internal readonly record struct EnvoyHeaders(bool HidesAttempts, bool HidesDebugging);
