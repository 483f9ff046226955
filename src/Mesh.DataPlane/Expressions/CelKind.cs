namespace Mesh.DataPlane.Expressions;

/// <summary>What a value of an expression is.</summary>
internal enum CelKind : byte
{
    /// <summary>None: something that the request does not have was asked for, or things were put together that do not go together.</summary>
    Error,
    Null,
    Bool,
    Int,
    Double,
    String,
    Duration,
    Timestamp,
    List,
    Map,
}
