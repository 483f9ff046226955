using System.Text;

namespace Mesh.Server.Tests.Http;

/// <summary>A response as it came over the wire.</summary>
internal sealed record Answer(int Status, Dictionary<string, string> Headers, string Body)
{
    public static Answer Parse(string text, bool isHead)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        end.ShouldBeGreaterThan(0, $"the server answered '{text}'");
        var lines = text[..end].Split("\r\n");
        var headers = lines.Skip(1).Select(l => l.Split(": ", 2)).GroupBy(p => p[0], StringComparer.OrdinalIgnoreCase)
            .ToDictionary(g => g.Key, g => string.Join('|', g.Select(p => p.Length > 1 ? p[1] : "")), StringComparer.OrdinalIgnoreCase);
        var body = text[(end + 4)..];
        if (headers.GetValueOrDefault("transfer-encoding") == "chunked" && !isHead)
        {
            var whole = new StringBuilder();
            while (Convert.ToInt32(body[..body.IndexOf('\r')], 16) is > 0 and var length)
            {
                var start = body.IndexOf('\n') + 1;
                whole.Append(body, start, length);
                body = body[(start + length + 2)..];
            }

            body = whole.ToString();
        }

        return new Answer(int.Parse(lines[0].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), headers, body);
    }
}
