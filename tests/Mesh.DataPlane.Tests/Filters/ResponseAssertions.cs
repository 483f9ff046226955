namespace Mesh.DataPlane.Tests.Filters;

internal static class ResponseAssertions
{
    /// <summary>A header of the response or of its content; <see langword="null"/> when it is absent.</summary>
    public static string? Header(this HttpResponseMessage response, string name)
        => response.Headers.NonValidated.TryGetValues(name, out var values) || response.Content.Headers.NonValidated.TryGetValues(name, out values)
            ? values.ToString()
            : null;

    public static string? Flags(this HttpResponseMessage response)
        => response.RequestMessage!.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags) ? flags : null;

    public static string? Details(this HttpResponseMessage response)
        => response.RequestMessage!.Options.TryGetValue(MeshRequest.ResponseCodeDetails, out var details) ? details : null;

    public static Task<string> Text(this HttpResponseMessage response) => response.Content.ReadAsStringAsync();
}
