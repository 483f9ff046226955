namespace Mesh.DataPlane.CircuitBreakers;

/// <summary>How many retries there may be at a time, by the number of requests that are active or pending.</summary>
/// <param name="Percent">Envoy's <c>budget_percent</c>, 20 when unset.</param>
/// <param name="MinConcurrency">Envoy's <c>min_retry_concurrency</c>, allowed however few requests there are; 3 when unset.</param>
internal sealed record RetryBudget(double Percent, uint MinConcurrency)
{
    /// <summary>What the budget comes to with so many requests active or pending.</summary>
    public long Allowed(long requests) => Math.Max((long)(Percent / 100.0 * requests), MinConcurrency);
}
