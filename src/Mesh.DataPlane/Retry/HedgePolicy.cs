namespace Mesh.DataPlane.Retry;

/// <summary>Envoy's hedging: when a try has not answered in <c>per_try_timeout</c>, another one goes beside it, and the first good response wins.</summary>
internal sealed record HedgePolicy(bool OnPerTryTimeout);
