namespace Mesh.DataPlane.Clusters;

/// <summary>One priority level as picks see it.</summary>
/// <param name="Priority">Its number; 0 is the highest.</param>
/// <param name="HealthyAvailability">In percent, by healthy hosts.</param>
/// <param name="DegradedAvailability">In percent, by degraded hosts.</param>
/// <param name="IsPanicking">Too few hosts are available here and everywhere: health is disregarded.</param>
/// <param name="Healthy">Who takes the load of healthy hosts; <see langword="null"/> when nobody may.</param>
/// <param name="Degraded">Who takes the load of degraded hosts; <see langword="null"/> when nobody may.</param>
internal sealed record PriorityLevel(
    uint Priority,
    uint HealthyAvailability,
    uint DegradedAvailability,
    bool IsPanicking,
    LocalityChoice? Healthy,
    LocalityChoice? Degraded)
{
    /// <summary>Whether an earlier attempt has been here (<c>envoy.retry_priorities.previous_priorities</c>).</summary>
    public bool IsIn(uint excluded) => Priority < 32 && (excluded & (1u << (int)Priority)) != 0;
}
