namespace Mesh.DataPlane.Resources;

/// <summary>What every decoded resource has.</summary>
internal abstract record Resource
{
    /// <summary>What the control plane sent and this data plane does not do, in words: applied without it, and reported once.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
