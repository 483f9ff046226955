using System.Security.Cryptography;
using System.Text;

namespace Mesh.ControlPlane.Config.Sources;

/// <summary>What was seen when a file was read: its text, or why there is none.</summary>
/// <param name="State">What was seen.</param>
/// <param name="Hash">The hash of its bytes, or the reason: equal when nothing changed.</param>
/// <param name="Text">The text, when there is one.</param>
/// <param name="Problem">Why there is none.</param>
/// <param name="Line">The line of the problem, from 1.</param>
/// <param name="Column">The column of the problem, from 1.</param>
internal sealed record FileContent(FileState State, string Hash, string? Text, string? Problem, int Line = 1, int Column = 1)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static FileContent Missing { get; } = new(FileState.Missing, "missing", null, null);

    public static FileContent Read(string path, int maxBytes)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            if (stream.Length > maxBytes)
            {
                return Unusable($"the file has {stream.Length:N0} bytes, more than the {maxBytes:N0} allowed: split it");
            }

            var bytes = new byte[stream.Length];
            var count = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return Decode(bytes.AsSpan(0, count));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return Missing;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Unusable($"the file cannot be read: {error.Message}");
        }
    }

    private static FileContent Decode(ReadOnlySpan<byte> bytes)
    {
        var hash = Convert.ToHexString(SHA256.HashData(bytes));
        try
        {
            var text = Strict.GetString(bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[3..] : bytes);
            return string.IsNullOrWhiteSpace(text)
                ? new FileContent(FileState.Unusable, hash, null, "the file is empty: delete it to remove its documents")
                : new FileContent(FileState.Text, hash, text, null);
        }
        catch (DecoderFallbackException error)
        {
            var before = bytes[..Math.Clamp(error.Index, 0, bytes.Length)];
            var line = before.Count((byte)'\n') + 1;
            return new FileContent(
                FileState.Unusable,
                hash,
                null,
                "the file is not UTF-8 from here on: save it as UTF-8",
                line,
                before.Length - before.LastIndexOf((byte)'\n'));
        }
    }

    private static FileContent Unusable(string problem) => new(FileState.Unusable, problem, null, problem);
}
