namespace Mesh;

/// <summary>Where entries of an access log go.</summary>
public enum MeshAccessLogSink
{
    /// <summary>Nowhere.</summary>
    None,

    /// <summary>To standard output.</summary>
    Stdout,

    /// <summary>To standard error.</summary>
    Stderr,

    /// <summary>To a file that is changed for another when it is large enough.</summary>
    File,

    /// <summary>To the application's own logging, under the category <c>Mesh.AccessLog</c>.</summary>
    Logger,
}
