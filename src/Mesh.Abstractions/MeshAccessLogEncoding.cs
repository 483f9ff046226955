namespace Mesh;

/// <summary>How an entry of an access log is written.</summary>
public enum MeshAccessLogEncoding
{
    /// <summary>A line of text.</summary>
    Text,

    /// <summary>An object of JSON on a line of its own.</summary>
    Json,
}
