namespace Mesh.ControlPlane.Config;

/// <summary>The current documents of the mesh, wherever they come from.</summary>
internal interface IConfigStore
{
    ConfigSnapshot Current { get; }

    /// <summary>What is wrong right now: of the sources and of the model built from them.</summary>
    IReadOnlyList<ConfigDiagnostic> Diagnostics { get; }

    /// <summary>Called after <see cref="Current"/> or <see cref="Diagnostics"/> changed, one call at a time.</summary>
    event Action<ConfigSnapshot>? Changed;

    /// <summary>Replaces what <paramref name="origin"/>, such as the model, has to tell about the current documents.</summary>
    void Report(string origin, IReadOnlyList<ConfigDiagnostic> diagnostics);
}
