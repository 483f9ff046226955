namespace Mesh.Cli.Servers;

/// <summary>Reads addresses as people write them.</summary>
internal static class Addresses
{
    /// <param name="text"><c>http://host:port</c>, or <c>host:port</c>.</param>
    /// <param name="where">The option that says so.</param>
    /// <exception cref="CommandException">It is none.</exception>
    public static Uri Parse(string text, string where)
    {
        var address = text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text;
        return Uri.TryCreate(address.EndsWith('/') ? address : address + "/", UriKind.Absolute, out var uri)
            && uri.Scheme is "http" or "https" && uri.Host.Length > 0 && uri.UserInfo.Length == 0 && uri.Query.Length == 0
                ? uri
                : throw new CommandException($"{where} is \"{text}\"; give http://host:port or https://host:port", ExitCodes.Usage);
    }
}
