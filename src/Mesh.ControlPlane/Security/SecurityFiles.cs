using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Security;

/// <summary>Looks, while the application starts, at every file that security rests on: what cannot be used is told now, and not by the first workload that fails.</summary>
internal sealed partial class SecurityFiles(
    IIssuerSource? authority,
    IReadOnlyList<JoinToken> joinTokens,
    IReadOnlyList<ServiceAccountTokenVerifier> issuers,
    TokenFile? loopbackToken,
    IReadOnlyList<TokenFile> roleTokens,
    ILogger<SecurityFiles> logger)
{
    /// <exception cref="AuthorityException">A file cannot be used; the message names it.</exception>
    public void Check()
    {
        authority?.Start();
        foreach (var file in joinTokens.Select(token => token.File).Concat(roleTokens))
        {
            if (file.Problem is { } problem)
            {
                throw new AuthorityException(problem);
            }
        }

        foreach (var issuer in issuers)
        {
            if (issuer.Problem is { } problem)
            {
                throw new AuthorityException($"tokens of {issuer.Issuer} cannot be checked: {problem}");
            }
        }

        if (loopbackToken is not null)
        {
            MakeLoopbackToken(loopbackToken);
        }
    }

    /// <summary>Several control planes of one user share it: whoever comes first makes it.</summary>
    private void MakeLoopbackToken(TokenFile file)
    {
        try
        {
            if (!File.Exists(file.Path))
            {
                PrivateFiles.CreateFolder(Path.GetDirectoryName(file.Path)!);
                PrivateFiles.Write(file.Path, Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)) + "\n");
            }

            if (file.Problem is { } problem)
            {
                Log.NoLoopbackToken(logger, problem);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NoLoopbackToken(logger, $"{file.Path} cannot be made: {e.Message}");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3421, LogLevel.Warning, "Workloads of this machine cannot prove themselves by the loopback token: {Problem}.")]
        public static partial void NoLoopbackToken(ILogger logger, string problem);
    }
}
