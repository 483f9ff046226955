namespace Mesh.ControlPlane.Debug;

/// <summary>The parameters that a page is asked with.</summary>
internal readonly record struct DebugQuery(Func<string, string?> Find)
{
    /// <summary>No parameters.</summary>
    public static DebugQuery None { get; } = new(static _ => null);

    /// <summary>The value of a parameter; an empty one is none.</summary>
    public string? this[string name] => Find(name) is { Length: > 0 } value ? value : null;

    /// <summary>Whether a parameter, where there is one, has this value.</summary>
    public bool Allows(string name, string value) => this[name] is not { } wanted || string.Equals(wanted, value, StringComparison.OrdinalIgnoreCase);
}
