namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>What labs do with <c>curl</c>.</summary>
internal static class LabRequests
{
    /// <summary>One request, and what the mesh says of it.</summary>
    public static Task<LabAnswer> AskAsync(this HttpClient client, string uri, params (string Name, string Value)[] headers)
        => client.AskAsync(HttpMethod.Get, uri, headers);

    /// <summary>One request with a method of its own, and what the mesh says of it.</summary>
    public static async Task<LabAnswer> AskAsync(this HttpClient client, HttpMethod method, string uri, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, uri);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await client.SendAsync(request).OrHang();
        var all = response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        return new LabAnswer(
            (int)response.StatusCode,
            await response.Content.ReadAsStringAsync().OrHang(),
            all.GetValueOrDefault(Pod.VersionHeader, ""),
            request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags) ? flags : "",
            request.Options.TryGetValue(MeshRequest.Attempts, out var attempts) ? attempts : 1,
            all);
    }

    /// <summary>The same request over and over, one after the other: how often each version answered.</summary>
    public static async Task<Dictionary<string, int>> CountAsync(this HttpClient client, string uri, int requests, params (string Name, string Value)[] headers)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < requests; i++)
        {
            var answer = await client.AskAsync(uri, headers);
            var key = answer.Status == 200 ? answer.Version : answer.Status.ToString(System.Globalization.CultureInfo.InvariantCulture);
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }

        return counts;
    }
}
