using System.CommandLine;

namespace Mesh.Cli.Completion;

/// <summary><c>meshctl completion</c>: a script that makes a shell complete commands, options and names.</summary>
internal sealed class CompletionCommand(CliEnvironment environment)
{
    // The program completes itself: "meshctl [suggest:<cursor>] <line>" lists what may stand there.
    private const string Bash = """
        _meshctl() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$(meshctl "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -F _meshctl meshctl
        """;

    private const string Zsh = """
        #compdef meshctl
        _meshctl() {
            local -a found
            found=("${(@f)$(meshctl "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            compadd -a found
        }
        compdef _meshctl meshctl
        """;

    private const string Fish = """
        complete -f -c meshctl -a '(meshctl "[suggest:"(commandline -C)"]" (commandline -cp) 2>/dev/null)'
        """;

    private const string PowerShell = """
        Register-ArgumentCompleter -Native -CommandName meshctl -ScriptBlock {
            param($word, $line, $cursor)
            meshctl "[suggest:$cursor]" "$line" 2>$null | Where-Object { $_ -like "$word*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
        }
        """;

    public Command Create()
    {
        var command = new Command("completion", "A script that makes a shell complete commands and options: source <(meshctl completion bash)");
        foreach (var (shell, script) in new[] { ("bash", Bash), ("zsh", Zsh), ("fish", Fish), ("powershell", PowerShell) })
        {
            var of = new Command(shell, $"For {shell}");
            of.SetAction(_ =>
            {
                environment.Out.WriteLine(script);
                return ExitCodes.Success;
            });
            command.Add(of);
        }

        return command;
    }
}
