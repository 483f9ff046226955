namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Takes what a validator finds; paths begin below <c>spec</c>: <c>http[0].route[1].weight</c>.</summary>
/// <param name="report">Severity, code, path and message.</param>
/// <param name="checkRegex">Says why a pattern is no RE2, or nothing; absent where no such check is at hand.</param>
/// <param name="isWritten">Whether a field is written in the document; absent where there is no text.</param>
/// <param name="checkExpression">Says why a text is no expression in CEL, or nothing; absent where no such check is at hand.</param>
internal sealed class ValidationContext(
    Action<ConfigSeverity, string, string, string> report, Func<string, string?>? checkRegex = null, Func<string, bool>? isWritten = null, Func<string, string?>? checkExpression = null)
{
    /// <summary>Whether the author wrote the field: a zero and nothing are the same to a message.</summary>
    /// <returns><see langword="null"/> when nobody knows.</returns>
    public bool? IsWritten(string path) => isWritten?.Invoke(path);

    public void Error(string path, string message) => report(ConfigSeverity.Error, ConfigCodes.Schema, path, message);

    public void Warn(string path, string message) => report(ConfigSeverity.Warning, ConfigCodes.Schema, path, message);

    public void Deprecated(string path, string message) => report(ConfigSeverity.Warning, ConfigCodes.Deprecated, path, message);

    public void NotApplied(string path, string message) => report(ConfigSeverity.Warning, ConfigCodes.NotApplied, path, message);

    /// <summary>A data plane refuses what it cannot read, and with it the whole listener: whoever wrote it should know first.</summary>
    public void Expression(string path, string expression)
    {
        if (expression.Length == 0)
        {
            Error(path, "must not be empty: write an expression in CEL, such as request.host or 'a constant'.");
        }
        else if (checkExpression?.Invoke(expression) is { } reason)
        {
            Error(path, $"is not an expression in CEL that can be read: {reason}");
        }
    }

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
