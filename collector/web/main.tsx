import { render } from 'preact'
import { App } from './app.tsx'
import { Store } from './store.ts'

const store = new Store()
store.start()
render(<App store={store} />, document.getElementById('app')!)
