namespace Mesh.DataPlane.HealthChecking;

/// <summary>What a check did to the host's health.</summary>
internal enum HealthTransition
{
    Unchanged,
    Changed,

    /// <summary>Against the host's present health, but the threshold is not reached.</summary>
    ChangePending,
}
