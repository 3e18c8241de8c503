// How a peer talks with the test that asks it: one JSON text in, one JSON text out, whatever is thrown is an error.

export async function answer(deed) {
  let text = ''
  for await (const chunk of process.stdin) text += chunk
  try {
    process.stdout.write(JSON.stringify(await deed(JSON.parse(text))))
  } catch (error) {
    const told = error.errorResponse ?? error.responseText ?? error.response
    process.stderr.write(`${error.stack}\n${typeof told === 'string' ? told : JSON.stringify(told)}\n`)
    process.exitCode = 1
  }
}
