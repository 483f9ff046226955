namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Takes what a validator finds; paths begin below <c>spec</c>: <c>http[0].route[1].weight</c>.</summary>
/// <param name="report">Severity, code, path and message.</param>
/// <param name="checkRegex">Says why a pattern is no RE2, or nothing; absent where no such check is at hand.</param>
/// <param name="isWritten">Whether a field is written in the document; absent where there is no text.</param>
internal sealed class ValidationContext(
    Action<ConfigSeverity, string, string, string> report, Func<string, string?>? checkRegex = null, Func<string, bool>? isWritten = null)
{
    /// <summary>Whether the author wrote the field: a zero and nothing are the same to a message.</summary>
    /// <returns><see langword="null"/> when nobody knows.</returns>
    public bool? IsWritten(string path) => isWritten?.Invoke(path);

    public void Error(string path, string message) => report(ConfigSeverity.Error, ConfigCodes.Schema, path, message);

    public void Warn(string path, string message) => report(ConfigSeverity.Warning, ConfigCodes.Schema, path, message);

    public void Deprecated(string path, string message) => report(ConfigSeverity.Warning, ConfigCodes.Deprecated, path, message);

    public void NotApplied(string path, string message) => report(ConfigSeverity.Warning, ConfigCodes.NotApplied, path, message);

    public void Regex(string path, string pattern)
    {
        if (pattern.Length == 0)
        {
            Error(path, "must not be empty: write .* to match any value, or leave it out.");
        }
        else if (checkRegex?.Invoke(pattern) is { } reason)
        {
            Error(path, $"is not a regular expression in RE2's syntax: {reason}");
        }
    }
}
