namespace Mesh.DataPlane.Tests.Decoding.Fields;

/// <summary>What becomes of a field.</summary>
internal enum FieldOutcome
{
    /// <summary>What was decoded is another.</summary>
    Honoured,

    /// <summary>The resource's notes name it.</summary>
    Told,

    /// <summary>The resource is refused, and the reason names it.</summary>
    Refused,

    /// <summary>Nothing is different, and nobody says so.</summary>
    Ignored,
}
