namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>The request that is being served where this runs: calls made on its behalf carry its id, without the application's doing.</summary>
internal static class ServedRequest
{
    private static readonly AsyncLocal<string?> Current = new();

    /// <summary><c>x-request-id</c>; <see langword="null"/> where nothing is served, or what is has none.</summary>
    public static string? Id
    {
        get => Current.Value;
        set => Current.Value = value;
    }
}
